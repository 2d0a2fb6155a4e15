-- $1 jobs, $2 reason, $3 who (NULL: each job's owner). Ends a row only when nobody ever spoke to the engine about it;
-- else it is carried there. Answers the jobs that were open.
WITH before AS (
    SELECT id, cancel_requested_at IS NULL AS first, claimed_until IS NULL AND engine_started_at IS NULL AS untouched,
        coalesce($3, 'owner:' || owner) AS who
    FROM jobs WHERE id = ANY($1) AND status IN ('queued', 'delayed', 'running') FOR NO KEY UPDATE
), job AS (
    UPDATE jobs SET
        cancel_requested_at = coalesce(cancel_requested_at, now()), cancel_reason = coalesce(cancel_reason, $2),
        cancel_requested_by = coalesce(cancel_requested_by, who), updated_at = now(),
        status = CASE WHEN untouched THEN 'canceled' ELSE status END,
        finished_at = CASE WHEN untouched THEN now() END,
        event_seq = event_seq + first::integer + untouched::integer
    FROM before WHERE jobs.id = before.id
    RETURNING jobs.id, jobs.event_seq, first, untouched, who, owner, webhook, email
), freed AS (
    DELETE FROM idempotency_keys k USING job WHERE k.job_id = job.id AND untouched
), told AS (
    INSERT INTO job_events (job_id, seq, type, data)
    SELECT id, event_seq - untouched::integer, 'cancel_requested',
        jsonb_strip_nulls(jsonb_build_object('by', who, 'reason', $2::text)) FROM job WHERE first
    UNION ALL
    SELECT id, event_seq, 'job', jsonb_build_object('status', 'canceled', 'by', who) FROM job WHERE untouched
), noticed AS (
    SELECT id, pg_notify(current_schema(), ''), pg_notify(current_schema(), id::text),
        CASE WHEN untouched THEN tell(id, 'canceled', owner, webhook, email) END FROM job
)
SELECT id FROM noticed
