-- Each kind with limits or open jobs: its limits, who waits, who is not due yet, who runs, and the oldest that waits.
SELECT kind, coalesce(paused, false) AS paused, total, per_owner, per_premium_owner, per_key, starts_per_minute,
    coalesce(waiting, 0) AS waiting, coalesce(delayed, 0) AS delayed, coalesce(running, 0) AS running, oldest
FROM queues FULL JOIN (
    SELECT kind,
        count(*) FILTER (WHERE status = 'queued' AND claimed_until IS NULL AND engine_started_at IS NULL) AS waiting,
        count(*) FILTER (WHERE status = 'delayed') AS delayed,
        count(*) FILTER (WHERE claimed_until IS NOT NULL OR engine_started_at IS NOT NULL) AS running,
        min(coalesce(not_before, created_at))
            FILTER (WHERE status = 'queued' AND claimed_until IS NULL AND engine_started_at IS NULL) AS oldest
    FROM jobs WHERE status IN ('queued', 'delayed', 'running') GROUP BY kind
) counted USING (kind)
