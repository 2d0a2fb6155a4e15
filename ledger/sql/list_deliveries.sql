SELECT d.id, d.event_id, d.event, d.job_id, d.channel, d.webhook_id, d.status, d.created_at, d.finished_at,
    CASE WHEN d.status = 'pending' THEN d.due_at END AS next_attempt_at,
    coalesce((SELECT json_agg(json_build_object('number', a.number, 'at', a.at, 'statusCode', a.status_code,
        'error', a.error, 'durationMs', a.duration_ms) ORDER BY a.number)
    FROM delivery_attempts a WHERE a.delivery_id = d.id), '[]') AS log
FROM deliveries d
