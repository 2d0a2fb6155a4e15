-- $1 workout, $2 half, $3 text, $4 facts, $5 who wrote, $6 why nobody better, $7 model; of the paid turns: $8 job,
-- $9 step, $10 item.
INSERT INTO run_contents (workout_id, half, user_id, status, text, facts, answered_by, reason, model, job_id, usage,
    created_at)
SELECT w.id, $2, w.user_id, 'completed', $3, $4, $5, $6, $7, $8, spent_on($8, $9, $10), now()
FROM (SELECT id, user_id FROM workouts WHERE id = $1 FOR KEY SHARE) w
ON CONFLICT (workout_id, half) DO UPDATE SET status = 'completed', text = excluded.text, facts = excluded.facts,
    answered_by = excluded.answered_by, reason = excluded.reason, model = excluded.model, job_id = excluded.job_id,
    usage = excluded.usage, error = NULL, created_at = now(), updated_at = now()
RETURNING workout_id
