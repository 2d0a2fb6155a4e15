-- $1 job, $2 steps that its execution did, as a JSON array: those that the ledger does not know to be done are written.
WITH job AS (
    SELECT id, plan FROM jobs WHERE id = $1 AND status IN ('queued', 'delayed', 'running') FOR NO KEY UPDATE
), done AS (
    SELECT d.*, split_part(d.activity_id, '#', 1) AS name FROM jsonb_to_recordset($2) AS d (
        activity_id text, scheduled_at timestamptz, delivery integer, started_at timestamptz, finished_at timestamptz,
        output jsonb)
    -- a step that waits for somebody outside goes on after its activity
    WHERE NOT EXISTS (SELECT FROM waitpoints w WHERE w.job_id = $1 AND w.activity_id = d.activity_id)
), step AS (
    INSERT INTO job_steps AS s (job_id, activity_id, name, status, scheduled_at, delivery, max_attempts, output,
        started_at, finished_at)
    SELECT id, activity_id, name, 'completed', scheduled_at, delivery, coalesce((
        SELECT (p ->> 'maxAttempts')::integer FROM jsonb_array_elements(plan) p WHERE p ->> 'name' = name LIMIT 1), 3),
        output, started_at, finished_at
    FROM job, done
    ON CONFLICT (job_id, activity_id) DO UPDATE SET status = 'completed', scheduled_at = excluded.scheduled_at,
        delivery = excluded.delivery, output = excluded.output, error = NULL, finished_at = excluded.finished_at
    WHERE s.status IN ('running', 'retrying') AND (s.scheduled_at, s.delivery) <= (excluded.scheduled_at, excluded.delivery)
    RETURNING s.*
), numbered AS (
    SELECT *, row_number() OVER (ORDER BY finished_at, activity_id) AS nth, count(*) OVER () AS all_of_them FROM step
), bumped AS (
    UPDATE jobs SET event_seq = event_seq + (SELECT count(*) FROM step), updated_at = now(),
        started_at = coalesce(started_at, (SELECT min(started_at) FROM step))
    FROM job WHERE jobs.id = job.id
    RETURNING jobs.id, jobs.event_seq
)
INSERT INTO job_events (job_id, seq, type, data)
SELECT id, event_seq - all_of_them + nth, 'step', jsonb_build_object('name', name, 'activityId', activity_id,
    'status', 'completed', 'attempt', failures + 1, 'maxAttempts', max_attempts, 'deliveries', delivery,
    'by', 'reconciler')
FROM bumped, numbered
