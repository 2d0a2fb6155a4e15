-- $1 job, $2 what its items are, in order: one that has items already keeps what it has.
WITH job AS (
    UPDATE jobs SET items = jsonb_build_object('done', 0, 'failed', 0, 'skipped', 0, 'total', jsonb_array_length($2))
    -- seconds of a recording are no items
    WHERE id = $1 AND (items IS NULL OR items ? 'unit')
    RETURNING id
)
INSERT INTO job_items (job_id, position, item)
SELECT job.id, n.place, n.item FROM job, jsonb_array_elements($2) WITH ORDINALITY AS n (item, place)
