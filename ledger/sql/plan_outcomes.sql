-- $1 job, $2 names of steps: how each stands that has begun, and what it brought. A step that waited for somebody keeps
-- the answer in its own row.
SELECT s.name, s.status, s.error, done.answered_by,
    CASE WHEN s.status = 'completed' THEN coalesce(done.output, s.output -> 'output') END AS output
FROM (
    SELECT DISTINCT ON (name) * FROM job_steps
    WHERE job_id = $1 AND name = ANY($2) AND activity_id NOT LIKE '%#otherwise'
    ORDER BY name, scheduled_at DESC
) s
LEFT JOIN LATERAL (
    SELECT c.output, c.answered_by FROM plan_calls c
    WHERE c.job_id = $1 AND c.step = s.name AND c.call = '' AND c.status = 'done'
    ORDER BY c.attempt DESC LIMIT 1
) done ON true
