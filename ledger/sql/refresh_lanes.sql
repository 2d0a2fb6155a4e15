-- $1 kinds, $2 owners, $3 keys of lanes from which jobs were taken: their new heads; gone if nobody waits in them.
WITH seen AS (
    SELECT lane.*, head.priority, head.fair_rank
    FROM unnest($1::text[], $2::text[], $3::text[]) lane (kind, owner, key) LEFT JOIN LATERAL (
        SELECT priority, fair_rank FROM jobs
        WHERE kind = lane.kind AND owner = lane.owner AND concurrency_key = lane.key
            AND fair_rank IS NOT NULL AND claimed_until IS NULL AND status = 'queued'
        ORDER BY priority, fair_rank LIMIT 1
    ) head ON true
), gone AS (
    DELETE FROM lanes l USING seen s WHERE (l.kind, l.owner, l.key) = (s.kind, s.owner, s.key) AND s.fair_rank IS NULL
)
UPDATE lanes l SET head_priority = s.priority, head_rank = s.fair_rank
FROM seen s WHERE (l.kind, l.owner, l.key) = (s.kind, s.owner, s.key) AND s.fair_rank IS NOT NULL
