-- $1 job, $2 how many failures to tell: what came of it.
SELECT j.items, spent.input_tokens, spent.output_tokens, spent.cost_usd,
    (SELECT coalesce(jsonb_object_agg(half, texts), '{}') FROM (
        SELECT half, count(*) AS texts FROM run_contents WHERE job_id = j.id AND status = 'completed' GROUP BY half
    ) written) AS texts,
    (SELECT coalesce(array_agg(DISTINCT answered_by), '{}') FROM run_contents
        WHERE job_id = j.id AND status = 'completed') AS writers,
    (SELECT coalesce(jsonb_agg(jsonb_build_object('activityId', item, 'code', outcome -> 'code',
        'message', outcome -> 'message') ORDER BY position), '[]')
    FROM (SELECT position, item, outcome FROM job_items WHERE job_id = j.id AND status = 'failed'
        ORDER BY position LIMIT $2) failed) AS failures
FROM jobs j, LATERAL (
    SELECT coalesce(sum(input_tokens), 0)::bigint AS input_tokens, coalesce(sum(output_tokens), 0)::bigint AS output_tokens,
        CASE WHEN coalesce(bool_and(cost_usd IS NOT NULL), true) THEN coalesce(sum(cost_usd), 0) END AS cost_usd
    FROM spend WHERE job_id = j.id
) spent
WHERE j.id = $1
