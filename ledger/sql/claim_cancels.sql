-- $1 at most, $2 how long the claim holds: running jobs whose cancel the engine has not accepted yet.
UPDATE jobs SET claimed_until = now() + $2::interval
WHERE id IN (
    SELECT id FROM jobs
    WHERE cancel_requested_at IS NOT NULL AND cancel_sent_at IS NULL AND engine_started_at IS NOT NULL
        AND status IN ('queued', 'delayed', 'running') AND (claimed_until IS NULL OR claimed_until <= now())
    ORDER BY cancel_requested_at LIMIT $1 FOR UPDATE SKIP LOCKED)
RETURNING id
