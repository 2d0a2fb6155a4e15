-- $1 owner, $2 $3 $4 position (transaction, job, number), $5 transactions looked through at most, $6 events at most.
-- Only what lies below every transaction that is still open: what they will commit comes after it, never before.
-- One row without an event when there is none.
WITH reach AS (
    SELECT least(pg_snapshot_xmin(pg_current_snapshot()), ($2::bigint + $5::bigint)::text::xid8) AS upto
), fresh AS MATERIALIZED (
    SELECT e.* FROM reach, job_events e
    WHERE e.tx >= $2::bigint::text::xid8 AND e.tx < reach.upto
        AND (e.tx, e.job_id, e.seq) > ($2::bigint::text::xid8, $3::uuid, $4::bigint)
), mine AS (
    -- OFFSET 0: each by its key, whatever the planner thinks of their number
    SELECT fresh.* FROM fresh, LATERAL (SELECT FROM jobs j WHERE j.id = fresh.job_id AND j.owner = $1 OFFSET 0) AS owned
    ORDER BY fresh.tx, fresh.job_id, fresh.seq LIMIT $6
)
SELECT reach.upto::text::bigint AS upto, pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS newest,
    mine.tx::text::bigint AS tx, mine.job_id, mine.seq, mine.type, mine.at, mine.data
FROM reach LEFT JOIN mine ON true
ORDER BY mine.tx, mine.job_id, mine.seq
