-- $1 kind or NULL, $2 first and $3 last day, $4 how many: the owners who had most done, with their figures and buckets.
WITH recent AS (
    SELECT owner, kind, jobs, completed, failed, canceled, expired, timed_out, tokens, usd, bucket FROM (
        SELECT owner, kind, day, jobs, jobs * (status = 'completed')::integer AS completed,
            jobs * (status = 'failed')::integer AS failed, jobs * (status = 'canceled')::integer AS canceled,
            jobs * (status = 'expired')::integer AS expired, jobs * (status = 'timed_out')::integer AS timed_out,
            tokens, usd, duration_bucket(seconds) AS bucket
        FROM job_ends
    ) ended
    WHERE owner <> '' AND day BETWEEN $2 AND $3 AND ($1::text IS NULL OR kind = $1)
), ranked AS (
    SELECT owner, sum(jobs) AS jobs FROM (
        SELECT owner, completed + failed + canceled + expired + timed_out AS jobs FROM stats_counts
        WHERE NOT everyone AND owner <> '' AND day BETWEEN $2 AND $3 AND ($1::text IS NULL OR kind = $1)
        UNION ALL SELECT owner, jobs FROM recent
    ) counted GROUP BY owner ORDER BY jobs DESC, owner LIMIT $4
)
SELECT ranked.owner, figures.*, buckets.*
FROM ranked
CROSS JOIN LATERAL (
    SELECT sum(completed)::bigint AS completed, sum(failed)::bigint AS failed, sum(canceled)::bigint AS canceled,
        sum(expired)::bigint AS expired, sum(timed_out)::bigint AS timed_out, sum(tokens)::bigint AS tokens, sum(usd) AS usd
    FROM (
        SELECT completed, failed, canceled, expired, timed_out, tokens, usd FROM stats_counts s
        WHERE NOT everyone AND s.owner = ranked.owner AND day BETWEEN $2 AND $3 AND ($1::text IS NULL OR kind = $1)
        UNION ALL
        SELECT completed, failed, canceled, expired, timed_out, tokens, usd FROM recent WHERE recent.owner = ranked.owner
    ) one
) figures
CROSS JOIN LATERAL (
    SELECT array_agg(bucket ORDER BY bucket) AS buckets, array_agg(jobs ORDER BY bucket) AS jobs_in
    FROM (
        SELECT bucket, sum(jobs)::bigint AS jobs FROM (
            SELECT bucket, jobs FROM stats_durations s
            WHERE NOT everyone AND s.owner = ranked.owner AND day BETWEEN $2 AND $3 AND ($1::text IS NULL OR kind = $1)
            UNION ALL
            SELECT bucket, jobs FROM recent WHERE recent.owner = ranked.owner AND bucket IS NOT NULL
        ) one GROUP BY bucket
    ) grouped
) buckets
ORDER BY ranked.jobs DESC, ranked.owner
