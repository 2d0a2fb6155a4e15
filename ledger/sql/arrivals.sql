-- $1 at most: jobs that are due and have no rank yet, and the rank of their owner's last job that waits.
SELECT j.id, j.kind, j.owner, j.concurrency_key AS key, j.tier, j.priority, last.rank AS last
FROM jobs j LEFT JOIN LATERAL (
    SELECT last_rank AS rank FROM lanes l WHERE l.kind = j.kind AND l.owner = j.owner ORDER BY last_rank DESC LIMIT 1
) last ON true
WHERE fair_rank IS NULL AND engine_started_at IS NULL AND status IN ('queued', 'delayed')
    AND coalesce(not_before, created_at) <= now()
ORDER BY coalesce(not_before, created_at) LIMIT $1
FOR NO KEY UPDATE OF j SKIP LOCKED
