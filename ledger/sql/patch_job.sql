-- $1 job, $2 tags or NULL, $3 set, $4 append, $5 increment (JSON objects by key), $6 keys to remove, $7 who,
-- $8 metadata's size at most. In that order, all or nothing; `wrong` is a key whose value cannot be counted up.
WITH job AS (
    SELECT id, metadata || $3 AS m FROM jobs WHERE id = $1 FOR NO KEY UPDATE
), appended AS (
    SELECT id, m || coalesce((
        SELECT jsonb_object_agg(key, coalesce(m -> key, '[]') || jsonb_build_array(value)) FROM jsonb_each($4)), '{}') AS m
    FROM job
), wrong AS (
    SELECT key FROM appended, jsonb_each($5) WHERE m ? key AND jsonb_typeof(m -> key) <> 'number' ORDER BY key LIMIT 1
), counted AS (
    SELECT id, (m || coalesce((
        SELECT jsonb_object_agg(key, coalesce((m ->> key)::numeric, 0) + value::numeric) FROM jsonb_each($5)), '{}'))
        - $6::text[] AS m
    FROM appended WHERE NOT EXISTS (SELECT FROM wrong)
), changed AS (
    UPDATE jobs SET metadata = m, tags = coalesce($2::text[], tags), event_seq = event_seq + 1, updated_at = now()
    FROM counted WHERE jobs.id = counted.id AND length(m::text) <= $8
    RETURNING jobs.id, event_seq, watched_until
), told AS (
    INSERT INTO job_events (job_id, seq, type, data)
    -- values stay out of the audit: it outlives them
    SELECT id, event_seq, 'changed', jsonb_strip_nulls(jsonb_build_object('by', $7::text, 'tags', to_jsonb($2::text[]),
        'metadata', (SELECT jsonb_agg(key ORDER BY key) FROM (
            SELECT jsonb_object_keys($3) UNION SELECT jsonb_object_keys($4) UNION SELECT jsonb_object_keys($5)
            UNION SELECT unnest($6::text[])) AS named (key))))
    FROM changed
), noticed AS (
    SELECT CASE WHEN watched_until > now() THEN pg_notify(current_schema(), id::text) END FROM changed
)
SELECT (SELECT key FROM wrong) AS wrong, EXISTS (SELECT FROM changed) AS changed, (SELECT count(*) FROM noticed) AS noticed
FROM job
