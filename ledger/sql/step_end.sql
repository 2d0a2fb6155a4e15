-- $1 job, $2 activity id, $3 scheduled at, $4 delivery, $5 what: completed | failure | wait | fatal,
-- $6 output as text, $7 error, $8 seconds the vendor asked to wait, $9 seconds a step may wait in all. Answers what stands.
WITH job AS (
    SELECT id, status, retry FROM jobs WHERE id = $1 FOR NO KEY UPDATE
), mine AS (
    SELECT s.*, $5 = 'wait' AND s.waited_seconds + $8 <= $9 AS patient
    FROM job_steps s, job
    WHERE s.job_id = job.id AND s.activity_id = $2 AND job.status = 'running'
), verdict AS (
    SELECT *, failures + CASE WHEN $5 = 'completed' OR patient THEN 0 ELSE 1 END AS failed FROM mine
), step AS (
    UPDATE job_steps s SET
        status = CASE WHEN $5 = 'completed' THEN 'completed' WHEN $5 = 'fatal' THEN 'failed' WHEN v.patient THEN 'retrying'
            WHEN v.failed >= s.max_attempts THEN 'failed' ELSE 'retrying' END,
        failures = v.failed, waited_seconds = s.waited_seconds + CASE WHEN v.patient THEN $8 ELSE 0 END,
        output = $6::text::jsonb, error = $7,
        finished_at = CASE WHEN $5 IN ('completed', 'fatal') OR (NOT v.patient AND v.failed >= s.max_attempts) THEN now() END
    FROM verdict v
    WHERE s.job_id = v.job_id AND s.activity_id = v.activity_id
        AND (s.scheduled_at, s.delivery, step_rank(s.status))
            < ($3, $4, CASE WHEN $5 IN ('completed', 'fatal') THEN 3 ELSE 2 END)
    RETURNING s.*
), bumped AS (
    UPDATE jobs SET event_seq = event_seq + 1, updated_at = now() FROM step WHERE jobs.id = step.job_id
    RETURNING jobs.id, jobs.event_seq, jobs.watched_until
), told AS (
    INSERT INTO job_events (job_id, seq, type, data)
    SELECT id, event_seq, 'step', jsonb_build_object('name', step.name, 'activityId', activity_id, 'status', status,
        'attempt', CASE WHEN status = 'failed' THEN failures ELSE failures + 1 END, 'maxAttempts', max_attempts,
        'deliveries', $4::integer, 'error', error) FROM bumped, step
), noticed AS (
    SELECT CASE WHEN watched_until > now() THEN pg_notify(current_schema(), id::text) END FROM bumped
)
SELECT job.status AS job_status, step.status, step.failures, (job.retry ->> 'randomize')::boolean IS TRUE AS randomize,
    (SELECT count(*) FROM noticed) = 1 AS landed
FROM job LEFT JOIN step ON true
