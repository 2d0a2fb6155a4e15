-- $1 user, $2 about, $3 key, $4 text, $5 facts, $6 who wrote, $7 why nobody better, $8 model; of the paid turns: $9 job,
-- $10 step, $11 item.
INSERT INTO run_reviews (user_id, about, key, text, facts, answered_by, reason, model, job_id, usage)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, spent_on($9, $10, $11))
ON CONFLICT (user_id, about, key) DO UPDATE SET text = excluded.text, facts = excluded.facts,
    answered_by = excluded.answered_by, reason = excluded.reason, model = excluded.model, job_id = excluded.job_id,
    usage = excluded.usage, created_at = now()
