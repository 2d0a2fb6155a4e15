-- $1 waitpoint, $2 whether it is overdue, $3 the error of one that is. Ends the step with what stands, by the
-- workflow's word; answers with it. Changes nothing while somebody waits, or once the step or the job has ended.
WITH job AS (
    SELECT j.id, j.status FROM jobs j JOIN waitpoints w ON w.job_id = j.id WHERE w.id = $1 FOR NO KEY UPDATE OF j
), before AS (
    SELECT w.* FROM waitpoints w, job WHERE w.id = $1 FOR UPDATE OF w
), point AS (
    -- from `before`, the row as it was locked: constraints are checked on what an old snapshot would give, too
    UPDATE waitpoints w SET tell_after = NULL,
        status = CASE before.status WHEN 'waiting' THEN 'timed_out' ELSE before.status END,
        error = CASE before.status WHEN 'waiting' THEN $3::jsonb ELSE before.error END,
        resolved_at = coalesce(before.resolved_at, now())
    FROM before WHERE w.id = before.id AND (before.status <> 'waiting' OR $2)
    RETURNING w.*
), step AS (
    UPDATE job_steps s SET finished_at = now(),
        status = CASE point.status WHEN 'completed' THEN 'completed' ELSE 'failed' END,
        failures = s.failures + CASE point.status WHEN 'completed' THEN 0 ELSE 1 END,
        output = CASE point.status WHEN 'completed' THEN jsonb_build_object('output', point.output) END,
        error = point.error || jsonb_build_object('step', s.name)
    FROM point, job
    WHERE s.job_id = point.job_id AND s.activity_id = point.activity_id AND s.status IN ('running', 'retrying')
        AND job.status = 'running'
    RETURNING s.*
), bumped AS (
    UPDATE jobs SET event_seq = event_seq + 1, updated_at = now() FROM step WHERE jobs.id = step.job_id
    RETURNING jobs.id, jobs.event_seq, jobs.watched_until
), told AS (
    INSERT INTO job_events (job_id, seq, type, data)
    SELECT id, event_seq, 'step', jsonb_build_object('name', step.name, 'activityId', activity_id, 'status', status,
        'attempt', CASE status WHEN 'failed' THEN failures ELSE failures + 1 END, 'maxAttempts', max_attempts,
        'deliveries', delivery, 'error', error) FROM bumped, step
), noticed AS (
    SELECT CASE WHEN watched_until > now() THEN pg_notify(current_schema(), id::text) END FROM bumped
)
SELECT coalesce(point.status, before.status) AS status, point.output, point.error, (SELECT count(*) FROM noticed) AS noticed
FROM before LEFT JOIN point ON true
