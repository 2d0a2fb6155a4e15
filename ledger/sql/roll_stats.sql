-- $1 at most: ends are taken away and added up in one statement, so each counts once. Called under an advisory lock.
WITH taken AS (
    DELETE FROM job_ends WHERE ctid = ANY (ARRAY(SELECT ctid FROM job_ends LIMIT $1)) RETURNING *
), counted AS (
    INSERT INTO stats_counts AS s (
        everyone, owner, day, kind, completed, failed, canceled, expired, timed_out, tokens, usd)
    SELECT grouping(owner) = 1, coalesce(owner, ''), day, kind,
        coalesce(sum(jobs) FILTER (WHERE status = 'completed'), 0), coalesce(sum(jobs) FILTER (WHERE status = 'failed'), 0),
        coalesce(sum(jobs) FILTER (WHERE status = 'canceled'), 0), coalesce(sum(jobs) FILTER (WHERE status = 'expired'), 0),
        coalesce(sum(jobs) FILTER (WHERE status = 'timed_out'), 0), sum(tokens), sum(usd)
    FROM taken GROUP BY GROUPING SETS ((owner, day, kind), (day, kind))
    ON CONFLICT (everyone, owner, day, kind) DO UPDATE SET
        completed = s.completed + excluded.completed, failed = s.failed + excluded.failed,
        canceled = s.canceled + excluded.canceled, expired = s.expired + excluded.expired,
        timed_out = s.timed_out + excluded.timed_out, tokens = s.tokens + excluded.tokens, usd = s.usd + excluded.usd
), timed AS (
    INSERT INTO stats_durations AS s (everyone, owner, day, kind, bucket, jobs)
    SELECT grouping(owner) = 1, coalesce(owner, ''), day, kind, duration_bucket(seconds), sum(jobs)
    FROM taken WHERE seconds IS NOT NULL
    GROUP BY GROUPING SETS ((owner, day, kind, duration_bucket(seconds)), (day, kind, duration_bucket(seconds)))
    ON CONFLICT (everyone, owner, day, kind, bucket) DO UPDATE SET jobs = s.jobs + excluded.jobs
), ranked AS (
    INSERT INTO stats_owners AS s (month, kind, owner, jobs)
    SELECT date_trunc('month', day::timestamp)::date, coalesce(kind, ''), owner, sum(jobs) FROM taken
    WHERE owner <> '' AND jobs > 0
    GROUP BY GROUPING SETS ((date_trunc('month', day::timestamp), owner), (date_trunc('month', day::timestamp), owner, kind))
    ON CONFLICT (month, kind, owner) DO UPDATE SET jobs = s.jobs + excluded.jobs
)
SELECT count(*) FROM taken
