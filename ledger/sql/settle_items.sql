-- $1 job, $2 items as [{position, status, outcome}], $3 their positions, $4 seconds an item if that is known: those that
-- are still pending get their end, the job its counts.
WITH settled AS (
    UPDATE job_items i SET status = n.status, outcome = n.outcome, finished_at = now()
    FROM jsonb_to_recordset($2) AS n (position integer, status text, outcome jsonb)
    WHERE i.job_id = $1 AND i.position = ANY($3) AND i.position = n.position AND i.status = 'pending'
    RETURNING i.status
), counted AS (
    SELECT count(*) FILTER (WHERE status = 'done') AS done, count(*) FILTER (WHERE status = 'failed') AS failed,
        count(*) FILTER (WHERE status = 'skipped') AS skipped
    FROM settled HAVING count(*) > 0
), bumped AS (
    UPDATE jobs SET event_seq = event_seq + 1, updated_at = now(), items = items || jsonb_strip_nulls(jsonb_build_object(
        'done', (items ->> 'done')::integer + done, 'failed', (items ->> 'failed')::integer + failed,
        'skipped', (items ->> 'skipped')::integer + skipped, 'pace', $4::double precision,
        'at', CASE WHEN $4 IS NOT NULL THEN now() END))
    FROM counted WHERE jobs.id = $1
    RETURNING jobs.id, jobs.event_seq, jobs.items, jobs.watched_until
), told AS (
    INSERT INTO job_events (job_id, seq, type, data)
    SELECT id, event_seq, 'progress', jsonb_build_object('items', items - 'at') FROM bumped
)
SELECT CASE WHEN watched_until > now() THEN pg_notify(current_schema(), id::text) END FROM bumped
