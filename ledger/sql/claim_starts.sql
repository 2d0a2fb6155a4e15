-- $1 jobs, $2 their ranks, $3 which of them start, $4 how long the claim holds. Those that somebody holds come later.
WITH chosen AS (
    SELECT j.id, c.rank, c.starts FROM jobs j JOIN unnest($1::uuid[], $2::float8[], $3::boolean[]) c (id, rank, starts)
        ON j.id = c.id
    WHERE j.status IN ('queued', 'delayed') AND j.claimed_until IS NULL AND j.engine_started_at IS NULL
    FOR NO KEY UPDATE OF j SKIP LOCKED
), ranked AS (
    UPDATE jobs j SET fair_rank = c.rank, status = 'queued',
        claimed_until = CASE WHEN c.starts THEN now() + $4::interval END
    FROM chosen c WHERE j.id = c.id
    RETURNING j.*, c.starts
)
SELECT id, kind, owner, tier, title, payload, plan, retry, max_duration_seconds, priority,
    cancel_requested_at IS NOT NULL AS cancel_requested
FROM ranked WHERE starts
