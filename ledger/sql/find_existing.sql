-- $1: the same new jobs: for each the job that stands in its place, and why.
SELECT n.id AS asked, j.id, j.status, j.engine_started_at, found.why, found.same
FROM jsonb_to_recordset($1) AS n (
    id uuid, kind text, owner text, idempotency_key text, payload_hash text, active_key text, joinable boolean)
CROSS JOIN LATERAL (
    SELECT n.id AS job_id, 1 AS rank, 'opened' AS why, true AS same
    UNION ALL
    SELECT k.job_id, 2, 'key', k.payload_hash = n.payload_hash FROM idempotency_keys k
    WHERE k.kind = n.kind AND k.owner = n.owner AND k.key = n.idempotency_key AND k.expires_at > now()
    UNION ALL
    (SELECT a.id, 3, 'active', true FROM jobs a
    WHERE n.joinable AND a.active_key = n.active_key AND a.status IN ('queued', 'delayed', 'running')
    ORDER BY a.created_at LIMIT 1)
) found
JOIN jobs j ON j.id = found.job_id
ORDER BY n.id, found.rank
