-- $1 job, $2 activity id, $3 step name, $4 at, $5 delivery, $6 failed | skipped, $7 error: the workflow's own word.
WITH job AS (
    SELECT id FROM jobs WHERE id = $1 AND status IN ('queued', 'running') FOR NO KEY UPDATE
), step AS (
    INSERT INTO job_steps AS s (job_id, activity_id, name, status, scheduled_at, delivery, max_attempts, error, finished_at)
    SELECT id, $2, $3, $6, $4, $5, 1, $7, now() FROM job
    ON CONFLICT (job_id, activity_id) DO UPDATE SET status = $6, scheduled_at = $4, delivery = $5, error = $7, finished_at = now()
    WHERE s.output IS NULL AND (s.scheduled_at, s.delivery, step_rank(s.status)) < ($4, $5, 3)
    RETURNING s.job_id
), bumped AS (
    UPDATE jobs SET event_seq = event_seq + 1, updated_at = now() FROM step WHERE jobs.id = step.job_id
    RETURNING jobs.id, jobs.event_seq
), told AS (
    INSERT INTO job_events (job_id, seq, type, data)
    SELECT id, event_seq, 'step', jsonb_strip_nulls(jsonb_build_object(
        'name', $3::text, 'activityId', $2::text, 'status', $6::text, 'error', $7::jsonb)) FROM bumped
)
SELECT pg_notify(current_schema(), id::text) FROM bumped
