-- $1 of everyone or $2 of this owner, $3 kind or NULL, $4 first and $5 last day: in all, by day and by kind. Ends that
-- nobody has added up yet are counted here.
WITH known AS (
    SELECT day, kind, completed, failed, canceled, expired, timed_out, tokens, usd FROM stats_counts
    WHERE everyone = $1 AND owner = $2 AND day BETWEEN $4 AND $5 AND ($3::text IS NULL OR kind = $3)
    UNION ALL
    SELECT day, kind, jobs * (status = 'completed')::integer, jobs * (status = 'failed')::integer,
        jobs * (status = 'canceled')::integer, jobs * (status = 'expired')::integer,
        jobs * (status = 'timed_out')::integer, tokens, usd
    FROM job_ends WHERE ($1 OR owner = $2) AND day BETWEEN $4 AND $5 AND ($3::text IS NULL OR kind = $3)
)
SELECT day, kind, sum(completed)::bigint AS completed, sum(failed)::bigint AS failed, sum(canceled)::bigint AS canceled,
    sum(expired)::bigint AS expired, sum(timed_out)::bigint AS timed_out, sum(tokens)::bigint AS tokens, sum(usd) AS usd
FROM known GROUP BY GROUPING SETS ((), (day), (kind))
