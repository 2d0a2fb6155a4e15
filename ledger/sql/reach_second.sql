-- $1 job, $2 seconds listened to, $3 of how many, $4 seconds that each takes: until it has items, these are its progress.
WITH bumped AS (
    UPDATE jobs SET event_seq = event_seq + 1, updated_at = now(), items = jsonb_strip_nulls(jsonb_build_object(
        'unit', 'second', 'done', $2::integer, 'failed', 0, 'skipped', 0, 'total', $3::integer,
        'pace', $4::double precision, 'at', CASE WHEN $4 IS NOT NULL THEN now() END))
    WHERE id = $1 AND finished_at IS NULL AND (items IS NULL OR items ? 'unit')
    RETURNING id, event_seq, items, watched_until
), told AS (
    INSERT INTO job_events (job_id, seq, type, data)
    SELECT id, event_seq, 'progress', jsonb_build_object('items', items - 'at') FROM bumped
)
SELECT CASE WHEN watched_until > now() THEN pg_notify(current_schema(), id::text) END FROM bumped
