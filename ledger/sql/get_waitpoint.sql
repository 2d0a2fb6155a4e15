SELECT w.id, w.job_id, w.activity_id, w.about, w.output, w.error, w.token_hash, w.created_at, w.expires_at,
    w.resolved_at, w.resolved_by, waitpoint_status(w.status, w.expires_at, j.finished_at) AS status
FROM waitpoints w LEFT JOIN jobs j ON j.id = w.job_id
