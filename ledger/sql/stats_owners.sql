-- $1 kind or NULL, $2 first and $3 last day, $4 how many: the owners who had most done, with their figures and buckets.
-- Looked for among the first of each month that the days touch, so that it costs the same however many owners there are.
WITH recent AS (
    SELECT owner, kind, jobs, jobs * (status = 'completed')::integer AS completed,
        jobs * (status = 'failed')::integer AS failed, jobs * (status = 'canceled')::integer AS canceled,
        jobs * (status = 'expired')::integer AS expired, jobs * (status = 'timed_out')::integer AS timed_out,
        tokens, usd, duration_bucket(seconds) AS bucket
    FROM job_ends WHERE owner <> '' AND day BETWEEN $2 AND $3 AND ($1::text IS NULL OR kind = $1)
), months AS (
    SELECT month::date FROM generate_series(date_trunc('month', $2::timestamp), $3::timestamp, '1 month') month
), candidates AS (
    SELECT DISTINCT owner FROM (
        SELECT first.owner FROM months CROSS JOIN LATERAL (
            SELECT s.owner FROM stats_owners s WHERE s.month = months.month AND s.kind = coalesce($1, '')
            ORDER BY s.jobs DESC, s.owner LIMIT 3 * $4) first
        UNION ALL (SELECT owner FROM recent GROUP BY owner ORDER BY sum(jobs) DESC, owner LIMIT 3 * $4)
    ) named
), likely AS (
    SELECT owner FROM (
        SELECT c.owner, coalesce((
            SELECT sum(s.jobs) FROM stats_owners s
            WHERE s.month IN (SELECT month FROM months) AND s.kind = coalesce($1, '') AND s.owner = c.owner), 0)
            + coalesce((SELECT sum(r.jobs) FROM recent r WHERE r.owner = c.owner), 0) AS jobs
        FROM candidates c
    ) summed ORDER BY jobs DESC, owner LIMIT 2 * $4
), ranked AS (
    SELECT likely.owner, figures.* FROM likely CROSS JOIN LATERAL (
        SELECT sum(completed)::bigint AS completed, sum(failed)::bigint AS failed, sum(canceled)::bigint AS canceled,
            sum(expired)::bigint AS expired, sum(timed_out)::bigint AS timed_out, sum(tokens)::bigint AS tokens,
            sum(usd) AS usd, sum(completed + failed + canceled + expired + timed_out) AS jobs
        FROM (
            SELECT completed, failed, canceled, expired, timed_out, tokens, usd FROM stats_counts s
            WHERE NOT everyone AND s.owner = likely.owner AND day BETWEEN $2 AND $3 AND ($1::text IS NULL OR kind = $1)
            UNION ALL
            SELECT completed, failed, canceled, expired, timed_out, tokens, usd FROM recent r WHERE r.owner = likely.owner
        ) one
    ) figures
    WHERE figures.jobs > 0 ORDER BY figures.jobs DESC, likely.owner LIMIT $4
)
SELECT ranked.*, buckets.* FROM ranked CROSS JOIN LATERAL (
    SELECT array_agg(bucket) AS buckets, array_agg(jobs) AS jobs_in
    FROM (
        SELECT bucket, sum(jobs)::bigint AS jobs FROM (
            SELECT bucket, jobs FROM stats_durations s
            WHERE NOT everyone AND s.owner = ranked.owner AND day BETWEEN $2 AND $3 AND ($1::text IS NULL OR kind = $1)
            UNION ALL SELECT bucket, jobs FROM recent r WHERE r.owner = ranked.owner AND bucket IS NOT NULL
        ) one GROUP BY bucket
    ) grouped
) buckets
ORDER BY ranked.jobs DESC, ranked.owner
