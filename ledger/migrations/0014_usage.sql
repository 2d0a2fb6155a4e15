-- The same answer as before, with a plan that is kept: in a list of jobs it is asked for each of them.

CREATE OR REPLACE FUNCTION usage_of(job uuid) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (
        WITH models AS (
            SELECT vendor, model, sum(input_tokens) AS i, sum(output_tokens) AS o, sum(cached_tokens) AS c,
                CASE WHEN bool_and(cost_usd IS NOT NULL) THEN sum(cost_usd) END AS usd
            FROM spend WHERE job_id = usage_of.job GROUP BY vendor, model
        )
        SELECT jsonb_build_object(
            'inputTokens', coalesce(sum(i), 0), 'outputTokens', coalesce(sum(o), 0), 'audioSeconds', 0,
            'costUsd', CASE WHEN bool_and(usd IS NOT NULL) THEN sum(usd) END,
            'byModel', coalesce(jsonb_agg(jsonb_build_object('vendor', vendor, 'model', model, 'inputTokens', i,
                'outputTokens', o, 'cachedTokens', c, 'costUsd', usd) ORDER BY model), '[]'))
        FROM models);
END $$;
