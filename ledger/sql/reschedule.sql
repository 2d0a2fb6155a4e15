-- $1 job, $2 its new start, $3 who. Lands only while the job waits for a time and nobody has taken it up.
WITH waiting AS (
    SELECT id, not_before FROM jobs
    WHERE id = $1 AND status = 'delayed' AND claimed_until IS NULL AND engine_started_at IS NULL FOR NO KEY UPDATE
), job AS (
    UPDATE jobs SET not_before = $2, start_by = start_by + ($2 - waiting.not_before), event_seq = event_seq + 1,
        updated_at = now()
    FROM waiting WHERE jobs.id = waiting.id
    RETURNING jobs.id, event_seq, watched_until
), told AS (
    INSERT INTO job_events (job_id, seq, type, data)
    SELECT id, event_seq, 'rescheduled', jsonb_build_object('by', $3::text, 'notBefore', $2::timestamptz) FROM job
)
SELECT pg_notify(current_schema(), ''),
    CASE WHEN watched_until > now() THEN pg_notify(current_schema(), id::text) END
FROM job
