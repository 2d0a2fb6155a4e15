-- $1: paid calls of one job as JSON, their ids drawn by the caller: a repeated commit counts nothing twice. And the
-- job's totals. What was said to a job that is to end is of no use to it, and what it is about may be deleted by now.
WITH paid AS (
    INSERT INTO spend (id, job_id, step, item, turn, attempt, vendor, model, input_tokens, output_tokens, cached_tokens,
        audio_seconds, cost_usd, prompt_hash, answer)
    SELECT id, job_id, step, item, turn, attempt, vendor, model, input_tokens, output_tokens, cached_tokens,
        audio_seconds, cost_usd, prompt_hash, CASE WHEN NOT EXISTS (
            SELECT FROM jobs j WHERE j.id = p.job_id AND j.cancel_requested_at IS NOT NULL) THEN nullif(answer, 'null') END
    FROM jsonb_to_recordset($1) AS p (id uuid, job_id uuid, step text, item text, turn integer, attempt integer,
        vendor text, model text, input_tokens bigint, output_tokens bigint, cached_tokens bigint,
        audio_seconds double precision, cost_usd numeric, prompt_hash text, answer jsonb)
    ON CONFLICT (id) DO NOTHING
    RETURNING job_id, input_tokens + output_tokens AS tokens, audio_seconds, coalesce(cost_usd, 0) AS usd
), spent AS (
    SELECT job_id, sum(tokens) AS tokens, sum(audio_seconds) AS audio, sum(usd) AS usd FROM paid GROUP BY job_id
)
UPDATE jobs SET spent_tokens = spent_tokens + spent.tokens, spent_usd = spent_usd + spent.usd,
    spent_audio_seconds = spent_audio_seconds + spent.audio, updated_at = now()
FROM spent WHERE jobs.id = spent.job_id
RETURNING spent_tokens, spent_usd, max_tokens, max_usd
