-- $1 at most, $2 jobs in flight at most, $3 how long the claim holds. Called under the dispatcher's advisory lock.
UPDATE jobs SET claimed_until = now() + $3::interval, status = 'queued'
WHERE id IN (
    SELECT id FROM jobs
    WHERE engine_started_at IS NULL AND status IN ('queued', 'delayed')
        AND (not_before IS NULL OR not_before <= now())
        AND (claimed_until IS NULL OR claimed_until <= now())
    ORDER BY priority, fair_rank, created_at
    LIMIT least($1, (SELECT greatest(0, $2 - count(*)) FROM jobs
        WHERE status IN ('queued', 'delayed', 'running') AND engine_started_at IS NOT NULL))
    FOR UPDATE SKIP LOCKED)
RETURNING id, kind, owner, tier, title, payload, plan, retry, max_duration_seconds, priority,
    cancel_requested_at IS NOT NULL AS cancel_requested
