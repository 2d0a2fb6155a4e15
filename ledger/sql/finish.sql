-- $1 job, $2 status, $3 result, $4 error, $5 answered by, $6 who canceled. The one way into a terminal status.
WITH before AS (
    SELECT id, status, event_seq, cancel_requested_at IS NULL AND $2 = 'canceled' AS unannounced
    FROM jobs WHERE id = $1 AND status IN ('queued', 'delayed', 'running') FOR NO KEY UPDATE
), lesser AS (
    SELECT EXISTS (SELECT FROM job_steps WHERE job_id = $1 AND status = 'failed') AS some_step_failed
), job AS (
    UPDATE jobs SET status = $2, error = $4, answered_by = $5, finished_at = now(), updated_at = now(),
        -- a plan's result stands there before its end, for it does not travel
        result = CASE WHEN $2 = 'completed' THEN coalesce(jobs.result, $3) ELSE $3 END,
        event_seq = jobs.event_seq + CASE WHEN unannounced THEN 2 ELSE 1 END,
        cancel_requested_at = CASE WHEN unannounced THEN now() ELSE cancel_requested_at END,
        cancel_requested_by = CASE WHEN unannounced THEN $6 ELSE cancel_requested_by END,
        -- a lesser result is never served from the cache
        cache_key = CASE WHEN some_step_failed OR $5 = 'offline' THEN NULL ELSE cache_key END
    FROM before, lesser WHERE jobs.id = before.id
    RETURNING jobs.*, before.unannounced
), closed AS (
    UPDATE job_steps s SET status = 'failed', finished_at = now(),
        error = jsonb_build_object('code', CASE $2 WHEN 'canceled' THEN 'canceled' ELSE coalesce($4 ->> 'code', $2) END,
            'message', 'the job ended while this step was open', 'step', s.name, 'retryable', false)
    FROM job WHERE s.job_id = job.id AND s.status IN ('running', 'retrying')
), freed AS (
    DELETE FROM idempotency_keys k USING job
    WHERE k.job_id = job.id
        AND ($2 IN ('failed', 'timed_out', 'expired') OR ($2 = 'canceled' AND job.started_at IS NULL))
), told AS (
    INSERT INTO job_events (job_id, seq, type, data)
    SELECT id, event_seq - 1, 'cancel_requested', jsonb_build_object('by', $6::text) FROM job WHERE unannounced
    UNION ALL
    SELECT id, event_seq, 'job', jsonb_strip_nulls(jsonb_build_object(
        'status', status, 'error', error, 'by', CASE WHEN status = 'canceled' THEN cancel_requested_by END)) FROM job
), noticed AS (
    SELECT CASE WHEN watched_until > now() THEN pg_notify(current_schema(), id::text) END,
        tell(id, status, owner, webhook, email) FROM job
)
SELECT status, error, (SELECT count(*) FROM noticed) AS noticed FROM job
