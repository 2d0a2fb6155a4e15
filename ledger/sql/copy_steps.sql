-- $1 new job, $2 the job that it replays, $3 steps before the one it begins with, $4 that one (NULL: all are run again).
-- The new job is given what the old one has kept of them; answers the steps of which it has kept nothing.
WITH ranked AS (
    -- stand-ins are counted by themselves: the second one stands in for the second repeat that failed
    SELECT s.*, row_number() OVER (PARTITION BY name, status = 'failed', stand_in ORDER BY nth) AS place
    FROM (SELECT *, activity_id LIKE '%#otherwise' AS stand_in,
            coalesce(substring(activity_id FROM '#([0-9]+)')::integer, 1) AS nth
        FROM job_steps WHERE job_id = $2 AND name = ANY($3)) s
), old AS (
    SELECT s.activity_id, s.name, s.status, s.max_attempts, s.scheduled_at, coalesce(s.output, o.output) AS output
    FROM ranked s
    LEFT JOIN ranked o ON o.stand_in AND o.status = 'completed' AND s.status = 'failed' AND (o.name, o.place) = (s.name, s.place)
    WHERE NOT s.stand_in
), given AS (
    INSERT INTO job_steps (
        job_id, activity_id, name, status, scheduled_at, delivery, max_attempts, output, finished_at)
    SELECT $1, activity_id, name, 'completed', now(), 0, max_attempts, output, now() FROM old WHERE output IS NOT NULL
    ON CONFLICT DO NOTHING
    RETURNING activity_id, name, max_attempts
), evidence AS (
    -- what a step found and kept under its job's id goes with its output
    INSERT INTO research_evidence
    SELECT $1, id, step, position, kind, url, title, quote, topic, text_offset, technology
    FROM research_evidence WHERE job_id = $2 AND step = ANY($3)
    ON CONFLICT DO NOTHING
), calls AS (
    -- and so does what a plan's step was given and brought
    INSERT INTO plan_calls (job_id, step, call, attempt, status, tool, input, output, answered_by, began_at, ended_at)
    SELECT $1, step, call, attempt, status, tool, input, output, answered_by, began_at, ended_at
    FROM plan_calls WHERE job_id = $2 AND step = ANY($3) AND status = 'done'
    ON CONFLICT DO NOTHING
), numbered AS (
    SELECT given.*, row_number() OVER (ORDER BY old.scheduled_at, activity_id) AS nth
    FROM given JOIN old USING (activity_id, name, max_attempts)
), bumped AS (
    -- once: the same may be asked again after a commit whose answer was lost
    UPDATE jobs SET event_seq = 2 + (SELECT count(*) FROM given) WHERE id = $1 AND event_seq = 1 RETURNING id
), told AS (
    INSERT INTO job_events (job_id, seq, type, data)
    SELECT id, 2, 'replay', jsonb_strip_nulls(jsonb_build_object('of', $2::uuid, 'fromStep', $4::text)) FROM bumped
    UNION ALL
    SELECT id, 2 + nth, 'step', jsonb_build_object('name', name, 'activityId', activity_id, 'status', 'completed',
        'attempt', 1, 'maxAttempts', max_attempts, 'deliveries', 0, 'reused', true) FROM bumped, numbered
)
SELECT step.name, (
    SELECT status FROM old WHERE old.name = step.name AND output IS NULL AND status <> 'skipped'
    ORDER BY scheduled_at LIMIT 1) AS status
FROM unnest($3::text[]) WITH ORDINALITY AS step (name, place)
WHERE NOT EXISTS (SELECT FROM old WHERE old.name = step.name)
    OR EXISTS (SELECT FROM old WHERE old.name = step.name AND output IS NULL AND status <> 'skipped')
ORDER BY place
