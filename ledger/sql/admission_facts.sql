-- What an admission goes by: the limits and who is behind, what is in hand by lane (a child runs in its parent's
-- slot), recent starts, limits with parked lanes.
SELECT
    (SELECT coalesce(jsonb_agg(to_jsonb(q) || jsonb_build_object(
        'behind', (SELECT true FROM lanes l WHERE l.kind = q.kind ORDER BY kind, owner LIMIT 1) IS NOT NULL)), '[]')
    FROM queues q) AS queues,
    (SELECT coalesce(jsonb_agg(jsonb_build_array(kind, owner, concurrency_key, running)), '[]') FROM (
        SELECT kind, owner, concurrency_key, count(*) AS running FROM jobs
        WHERE claimed_until IS NOT NULL AND fair_rank IS NOT NULL AND status IN ('queued', 'delayed', 'running')
        GROUP BY kind, owner, concurrency_key) counted) AS running,
    (SELECT coalesce(jsonb_object_agg(kind, starts), '{}') FROM (
        SELECT kind, count(*) AS starts FROM recent_starts WHERE at > now() - interval '1 minute' GROUP BY kind
    ) counted) AS recent,
    (SELECT coalesce(jsonb_agg(jsonb_build_array(kind, what, name)), '[]') FROM stops) AS stops,
    -- who waits for an answer from outside, for days perhaps, is in nobody's way
    (SELECT count(DISTINCT w.job_id) FROM waitpoints w JOIN jobs j ON j.id = w.job_id
        WHERE w.status = 'waiting' AND w.announced_at IS NOT NULL AND w.job_id IS NOT NULL AND w.expires_at > now()
            AND j.claimed_until IS NOT NULL AND j.fair_rank IS NOT NULL AND j.status = 'running') AS resting
