-- $1 job, $2 user, $3 runs, $4 whether to write anew: the runs, and which halves of each the job has still to write; it
-- is noted that they are being written. Of what it has written already: by whom.
WITH runs AS (
    SELECT id, name, started_at, is_run, (facts - 'splits')::text AS facts FROM workouts
    WHERE id = ANY($3) AND user_id = $2 FOR KEY SHARE
), missing AS (
    SELECT r.id, wanted.half FROM runs r CROSS JOIN unnest(ARRAY['letter', 'insight']) AS wanted (half)
    LEFT JOIN run_contents c ON c.workout_id = r.id AND c.half = wanted.half
    WHERE c.text IS NULL OR ($4::boolean AND NOT (c.status = 'completed' AND c.job_id IS NOT DISTINCT FROM $1))
), begun AS (
    INSERT INTO run_contents (workout_id, half, user_id, status, job_id)
    SELECT id, half, $2, 'generating', $1 FROM missing ORDER BY id, half
    ON CONFLICT (workout_id, half) DO UPDATE SET status = 'generating', job_id = excluded.job_id, error = NULL,
        updated_at = now()
)
SELECT r.*, coalesce((SELECT array_agg(half ORDER BY half DESC) FROM missing m WHERE m.id = r.id), '{}') AS halves,
    (SELECT jsonb_object_agg(c.half, c.answered_by) FROM run_contents c
        WHERE c.workout_id = r.id AND c.job_id = $1 AND c.status = 'completed') AS written,
    (SELECT timezone FROM users WHERE id = $2) AS timezone
FROM runs r
