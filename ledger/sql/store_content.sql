-- $1: halves with their texts as JSON, and the calls that paid for each; $2 their facts. Answers those whose workouts
-- are there.
INSERT INTO run_contents (workout_id, half, user_id, status, text, facts, answered_by, reason, model, job_id, usage,
    created_at)
SELECT w.id, n.half, w.user_id, 'completed', n.text, n.facts::jsonb, n.answered_by, n.reason, n.model, n.job_id,
    spent_on(n.job_id, n.step, n.item), now()
FROM ROWS FROM (jsonb_to_recordset($1) AS (workout_id uuid, half text, text text, answered_by text, reason text,
    model text, job_id uuid, step text, item text), unnest($2::text[])) AS n (workout_id, half, text, answered_by, reason,
    model, job_id, step, item, facts)
CROSS JOIN LATERAL (SELECT id, user_id FROM workouts WHERE id = n.workout_id FOR KEY SHARE) w
ORDER BY w.id, n.half
ON CONFLICT (workout_id, half) DO UPDATE SET status = 'completed', text = excluded.text, facts = excluded.facts,
    answered_by = excluded.answered_by, reason = excluded.reason, model = excluded.model, job_id = excluded.job_id,
    usage = excluded.usage, error = NULL, created_at = now(), updated_at = now()
RETURNING workout_id, half
