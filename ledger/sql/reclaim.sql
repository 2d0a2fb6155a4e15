-- $1 at most, $2 how long the claim holds: jobs that were admitted, and whose claim ran out before they were started.
UPDATE jobs SET claimed_until = now() + $2::interval
WHERE id IN (
    SELECT id FROM jobs
    WHERE claimed_until <= now() AND fair_rank IS NOT NULL AND engine_started_at IS NULL
        AND status IN ('queued', 'delayed', 'running')
    ORDER BY claimed_until LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED)
RETURNING id, kind, owner, tier, title, payload, plan, retry, max_duration_seconds, priority,
    cancel_requested_at IS NOT NULL AS cancel_requested
