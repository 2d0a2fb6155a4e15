-- $1: the row's id, drawn by the caller: a repeated commit counts nothing twice. A paid call, and the job's totals.
WITH paid AS (
    INSERT INTO spend (id, job_id, step, item, turn, attempt, vendor, model, input_tokens, output_tokens, cached_tokens,
        cost_usd, prompt_hash, answer)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
    ON CONFLICT (id) DO NOTHING
    RETURNING job_id, input_tokens + output_tokens AS tokens, coalesce(cost_usd, 0) AS usd
)
UPDATE jobs SET spent_tokens = spent_tokens + paid.tokens, spent_usd = spent_usd + paid.usd, updated_at = now()
FROM paid WHERE jobs.id = paid.job_id
RETURNING spent_tokens, spent_usd, max_tokens, max_usd
