-- $1 job, $2 workout, $3 user, $4 halves: note that they are being written; what was written before stays meanwhile.
INSERT INTO run_contents (workout_id, half, user_id, status, job_id)
SELECT w.id, half, w.user_id, 'generating', $1
FROM (SELECT id, user_id FROM workouts WHERE id = $2 AND user_id = $3 FOR KEY SHARE) w, unnest($4::text[]) half
ON CONFLICT (workout_id, half) DO UPDATE SET status = 'generating', job_id = excluded.job_id, error = NULL,
    updated_at = now()
RETURNING (SELECT timezone FROM users WHERE id = $3)
