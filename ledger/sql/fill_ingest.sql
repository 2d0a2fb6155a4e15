-- $1 job, $2 user, $3 how many (NULL: all), $4 whether to write anew: the most recent runs become the job's items. Those
-- that lack nothing are skipped at once.
WITH chosen AS (
    SELECT id, row_number() OVER (ORDER BY started_at DESC) AS place,
        NOT $4::boolean AND (SELECT count(*) FROM run_contents c WHERE c.workout_id = w.id AND c.text IS NOT NULL) = 2 AS whole
    FROM workouts w WHERE user_id = $2 AND is_run ORDER BY started_at DESC LIMIT $3
), filled AS (
    INSERT INTO job_items (job_id, position, item, status, finished_at)
    SELECT $1, place, to_jsonb(id), CASE WHEN whole THEN 'skipped' ELSE 'pending' END, CASE WHEN whole THEN now() END
    FROM chosen
    RETURNING status
)
UPDATE jobs SET items = jsonb_build_object('done', 0, 'failed', 0,
    'skipped', (SELECT count(*) FROM filled WHERE status = 'skipped'), 'total', (SELECT count(*) FROM filled))
WHERE id = $1
