-- $1 job: what came of each of its items, in their order, each with its id (an item is its id, or has one).
SELECT coalesce(jsonb_agg(jsonb_build_object('id', coalesce(item ->> 'id', item #>> '{}')) || CASE status
    WHEN 'failed' THEN jsonb_build_object('status', 'failed', 'error', outcome - 'retryable')
    ELSE jsonb_build_object('status', status) || coalesce(outcome, '{}') END ORDER BY position), '[]')
FROM job_items WHERE job_id = $1
