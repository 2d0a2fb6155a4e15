-- $1 job, $2 activity id, $3 step name, $4 scheduled at, $5 delivery. Lands only if it is news and the job is open
-- and nobody has asked for its end.
WITH job AS (
    SELECT id, status, plan, cancel_requested_at IS NOT NULL AS canceling FROM jobs WHERE id = $1 FOR NO KEY UPDATE
), stored AS (
    SELECT output FROM job_steps WHERE job_id = $1 AND activity_id = $2 AND output IS NOT NULL
), step AS (
    INSERT INTO job_steps AS s (job_id, activity_id, name, status, scheduled_at, delivery, max_attempts, started_at)
    SELECT id, $2, $3, 'running', $4, $5, coalesce((
        SELECT (p ->> 'maxAttempts')::integer FROM jsonb_array_elements(plan) p WHERE p ->> 'name' = $3 LIMIT 1), 3), now()
    FROM job WHERE status IN ('queued', 'delayed', 'running') AND NOT canceling AND NOT EXISTS (SELECT FROM stored)
    ON CONFLICT (job_id, activity_id) DO UPDATE SET
        status = 'running', scheduled_at = excluded.scheduled_at, delivery = excluded.delivery, finished_at = NULL,
        failures = CASE WHEN s.scheduled_at = excluded.scheduled_at THEN s.failures ELSE 0 END,
        waited_seconds = CASE WHEN s.scheduled_at = excluded.scheduled_at THEN s.waited_seconds ELSE 0 END,
        started_at = CASE WHEN s.scheduled_at = excluded.scheduled_at THEN s.started_at ELSE excluded.started_at END
    WHERE s.output IS NULL
        AND (s.scheduled_at, s.delivery, step_rank(s.status)) < (excluded.scheduled_at, excluded.delivery, 1)
    RETURNING s.job_id, s.failures, s.max_attempts
), bumped AS (
    UPDATE jobs SET status = 'running', started_at = coalesce(started_at, now()), updated_at = now(),
        event_seq = event_seq + CASE job.status WHEN 'running' THEN 1 ELSE 2 END
    FROM job, step WHERE jobs.id = step.job_id
    RETURNING jobs.id, jobs.event_seq, jobs.watched_until, job.status AS was, owner, webhook, email
), told AS (
    INSERT INTO job_events (job_id, seq, type, data)
    SELECT id, event_seq - 1, 'job', '{"status": "running"}' FROM bumped WHERE was <> 'running'
    UNION ALL
    SELECT id, event_seq, 'step', jsonb_build_object('name', $3::text, 'activityId', $2::text, 'status', 'running',
        'attempt', failures + 1, 'maxAttempts', max_attempts, 'deliveries', $5::integer) FROM bumped, step
), noticed AS (
    SELECT CASE WHEN watched_until > now() THEN pg_notify(current_schema(), id::text) END,
        CASE WHEN was <> 'running' THEN tell(id, 'running', owner, webhook, email) END FROM bumped
)
SELECT job.status, job.canceling, EXISTS (SELECT FROM stored) AS is_stored, (SELECT output FROM stored) AS output,
    (SELECT failures FROM step) AS failures, (SELECT count(*) FROM noticed) = 1 AS landed
FROM job
