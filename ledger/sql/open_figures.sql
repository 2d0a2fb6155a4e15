-- Open jobs by kind and status, and for how long the first of them has been due without being taken to the engine.
SELECT kind, status, count(*) AS jobs,
    extract(epoch FROM now() - min(coalesce(not_before, created_at)) FILTER (
        WHERE engine_started_at IS NULL AND coalesce(not_before, created_at) <= now()))::double precision AS oldest_seconds
FROM jobs WHERE status IN ('queued', 'delayed', 'running')
GROUP BY kind, status
