-- The same question as stats_counts: how many completed jobs in each bucket of durations, in all, by day and by kind.
WITH known AS (
    SELECT day, kind, bucket, jobs FROM stats_durations
    WHERE everyone = $1 AND owner = $2 AND day BETWEEN $4 AND $5 AND ($3::text IS NULL OR kind = $3)
    UNION ALL
    SELECT day, kind, duration_bucket(seconds), jobs FROM job_ends
    WHERE seconds IS NOT NULL AND ($1 OR owner = $2) AND day BETWEEN $4 AND $5 AND ($3::text IS NULL OR kind = $3)
), summed AS (
    SELECT day, kind, bucket, sum(jobs)::bigint AS jobs
    FROM known GROUP BY GROUPING SETS ((bucket), (day, bucket), (kind, bucket))
)
SELECT day, kind, array_agg(bucket) AS buckets, array_agg(jobs) AS jobs_in FROM summed GROUP BY day, kind
