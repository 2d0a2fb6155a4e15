-- $1 job, $2 user, $3 runs, $4 whether to write anew, $5 the step whose calls write: the runs, and which halves of each
-- the job has still to write; it is noted that they are being written. Of what it has written already: by whom. And
-- whether a call for any half was paid, so that its answer may be there. Nobody waits for the disk: what a crash takes
-- of this is noted again.
WITH runs AS (
    SELECT id, name, started_at, (facts - 'splits')::text AS facts FROM workouts
    WHERE id = ANY($3) AND user_id = $2 FOR KEY SHARE
), there AS MATERIALIZED (
    SELECT workout_id, half, text IS NULL AS blank, status = 'completed' AND job_id IS NOT DISTINCT FROM $1 AS own,
        answered_by
    FROM run_contents WHERE workout_id = ANY($3)
), halves AS MATERIALIZED (
    SELECT r.id, wanted.half, c.own, c.answered_by,
        c.own IS NOT TRUE AND (c.blank IS NOT FALSE OR $4::boolean) AS missing
    FROM runs r CROSS JOIN unnest(ARRAY['letter', 'insight']) AS wanted (half)
    LEFT JOIN there c ON c.workout_id = r.id AND c.half = wanted.half
), begun AS (
    INSERT INTO run_contents (workout_id, half, user_id, status, job_id)
    SELECT id, half, $2, 'generating', $1 FROM halves WHERE missing ORDER BY id, half
    ON CONFLICT (workout_id, half) DO UPDATE SET status = 'generating', job_id = excluded.job_id, error = NULL,
        updated_at = now()
)
SELECT r.*, h.halves, h.written, EXISTS (
        SELECT FROM spend WHERE job_id = $1 AND step = $5 AND item IN (r.id || ':letter', r.id || ':insight')
    ) AS paid, set_config('synchronous_commit', 'off', true), (SELECT timezone FROM users WHERE id = $2) AS timezone
FROM runs r JOIN (
    SELECT id, coalesce(array_agg(half ORDER BY half DESC) FILTER (WHERE missing), '{}') AS halves,
        jsonb_object_agg(half, answered_by) FILTER (WHERE own) AS written
    FROM halves GROUP BY id
) h USING (id)
