-- $1 job, $2 step, $3 call, $4 attempt, $5 done | failed, $6 output as text, $7 error, $8 answered by. Lands once, on a
-- call that has begun and is not lost. The job's row is locked first, here and everywhere.
WITH job AS (
    SELECT id FROM jobs WHERE id = $1 FOR NO KEY UPDATE
), ended AS (
    UPDATE plan_calls c SET status = $5, output = $6::text::jsonb, error = $7, answered_by = $8, ended_at = now()
    FROM job WHERE (c.job_id, c.step, c.call, c.attempt) = (job.id, $2, $3, $4) AND c.status = 'begun'
    RETURNING c.*
), paid AS (
    SELECT sum(input_tokens) AS input_tokens, sum(output_tokens) AS output_tokens, sum(cost_usd) AS cost_usd
    FROM spend WHERE job_id = $1 AND step = $2 AND $3 = ''
), bumped AS (
    UPDATE jobs SET event_seq = event_seq + 1, updated_at = now() FROM ended
    WHERE jobs.id = ended.job_id AND jobs.finished_at IS NULL
    RETURNING jobs.id, jobs.event_seq
)
INSERT INTO job_events (job_id, seq, type, data)
SELECT bumped.id, event_seq, 'call', jsonb_strip_nulls(jsonb_build_object('name', step, 'call', nullif(call, ''),
    'tool', tool, 'attempt', attempt, 'status', status, 'error', error, 'answeredBy', answered_by,
    'outputBytes', octet_length($6), 'inputTokens', input_tokens, 'outputTokens', output_tokens, 'costUsd', cost_usd))
FROM bumped, ended, paid
