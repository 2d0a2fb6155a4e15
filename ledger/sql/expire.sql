-- $1 at most: jobs whose first step did not begin in time. One that the engine knows ends at its first step.
WITH due AS (
    SELECT id FROM jobs WHERE start_by <= now() AND status IN ('queued', 'delayed')
    ORDER BY start_by LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED
), job AS (
    UPDATE jobs j SET status = 'expired', finished_at = now(), updated_at = now(), event_seq = event_seq + 1,
        error = jsonb_build_object('code', 'expired', 'message', 'the job was not started in time', 'retryable', true)
    FROM due WHERE j.id = due.id
    RETURNING j.*
), freed AS (
    DELETE FROM idempotency_keys k USING job WHERE k.job_id = job.id
), told AS (
    INSERT INTO job_events (job_id, seq, type, data)
    SELECT id, event_seq, 'job', jsonb_build_object('status', status, 'error', error) FROM job
)
SELECT id, tell(id, status, owner, webhook, email),
    CASE WHEN watched_until > now() THEN pg_notify(current_schema(), id::text) END
FROM job
