-- Open jobs that somebody took to the engine. $1 seconds of rest since, $2 and $3 the last one seen, $4 at most.
SELECT j.id, j.kind, j.status, j.created_at, j.engine_started_at IS NOT NULL AS marked, j.started_at IS NOT NULL AS ran,
    j.cancel_requested_at IS NOT NULL AS canceled, coalesce(j.parent_id::text, f.workflow_id) AS opener
FROM jobs j
LEFT JOIN schedule_firings f ON f.job_id = j.id
WHERE {settled} AND ($2::timestamptz IS NULL OR (j.created_at, j.id) < ($2, $3::uuid))
ORDER BY j.created_at DESC, j.id DESC LIMIT $4
