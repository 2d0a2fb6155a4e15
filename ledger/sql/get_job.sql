SELECT j.*, coalesce((
    SELECT json_agg(json_build_object('name', s.name, 'activityId', s.activity_id, 'status', s.status,
        'failures', s.failures, 'deliveries', s.delivery, 'maxAttempts', s.max_attempts, 'startedAt', s.started_at,
        'finishedAt', s.finished_at, 'error', s.error) ORDER BY s.scheduled_at, s.activity_id)
    FROM job_steps s WHERE s.job_id = j.id), '[]') AS states,
    CASE WHEN j.spent_tokens > 0 OR j.spent_audio_seconds > 0 THEN (
        SELECT json_build_object('inputTokens', coalesce(sum(m."inputTokens"), 0),
            'outputTokens', coalesce(sum(m."outputTokens"), 0), 'audioSeconds', j.spent_audio_seconds,
            'costUsd', CASE WHEN bool_and(m."costUsd" IS NOT NULL) THEN sum(m."costUsd") END,
            'byModel', coalesce(json_agg(m ORDER BY m.model), '[]'))
        FROM (
            SELECT p.vendor, p.model, sum(p.input_tokens) AS "inputTokens", sum(p.output_tokens) AS "outputTokens",
                sum(p.cached_tokens) AS "cachedTokens", sum(p.audio_seconds) AS "audioSeconds",
                CASE WHEN bool_and(p.cost_usd IS NOT NULL) THEN sum(p.cost_usd) END AS "costUsd"
            FROM spend p WHERE p.job_id = j.id GROUP BY p.vendor, p.model
        ) m)
    ELSE '{}' END AS usage,
    CASE WHEN j.engine_started_at IS NOT NULL AND j.finished_at IS NULL AND j.updated_at < now() - interval '15 seconds'
        THEN silent_step(j.id, j.plan, j.updated_at) END AS stuck
FROM jobs j
