-- $1 kinds, $2 at most of a kind: the first jobs of the first lanes. A lane without one is out of date.
SELECT lane.kind, lane.owner, lane.key, job.id, job.tier, job.priority, job.rank
FROM unnest($1::text[]) k (kind)
CROSS JOIN LATERAL (
    SELECT kind, owner, key FROM lanes l WHERE l.kind = k.kind AND parked IS NULL
    ORDER BY head_priority, head_rank LIMIT $2
) lane
LEFT JOIN LATERAL (
    SELECT id, tier, priority, fair_rank AS rank FROM jobs
    WHERE kind = lane.kind AND owner = lane.owner AND concurrency_key = lane.key
        AND fair_rank IS NOT NULL AND claimed_until IS NULL AND status = 'queued'
    ORDER BY priority, fair_rank LIMIT $2
) job ON true
