SELECT j.*, coalesce((
    SELECT json_agg(json_build_object('name', s.name, 'activityId', s.activity_id, 'status', s.status,
        'failures', s.failures, 'deliveries', s.delivery, 'maxAttempts', s.max_attempts, 'startedAt', s.started_at,
        'finishedAt', s.finished_at, 'error', s.error) ORDER BY s.scheduled_at, s.activity_id)
    FROM job_steps s WHERE s.job_id = j.id), '[]') AS steps,
    CASE WHEN j.spent_tokens > 0 THEN usage_of(j.id) ELSE '{}' END AS usage,
    CASE WHEN j.engine_started_at IS NOT NULL AND j.finished_at IS NULL AND j.updated_at < now() - interval '15 seconds'
        THEN silent_step(j.id, j.plan, j.updated_at) END AS stuck
FROM jobs j
