-- $1 at most, $2 jobs in flight at most, $3 how long the claim holds. Called under the dispatcher's advisory lock.
UPDATE jobs SET claimed_until = now() + $3::interval, status = 'queued'
WHERE id IN (
    SELECT id FROM jobs
    WHERE engine_started_at IS NULL AND status IN ('queued', 'delayed')
        AND (not_before IS NULL OR not_before <= now())
        AND (claimed_until IS NULL OR claimed_until <= now())
    ORDER BY priority, fair_rank, created_at
    -- a job takes its place when it is claimed; a child runs in its parent's
    LIMIT least($1, (SELECT greatest(0, $2 - count(*)) FROM jobs
        WHERE status IN ('queued', 'delayed', 'running') AND parent_id IS NULL AND claimed_until IS NOT NULL
            AND (engine_started_at IS NOT NULL OR claimed_until > now())))
    FOR UPDATE SKIP LOCKED)
RETURNING id, kind, owner, tier, title, payload, plan, retry, max_duration_seconds, priority,
    cancel_requested_at IS NOT NULL AS cancel_requested
