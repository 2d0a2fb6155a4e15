-- $1 for how long, $2 at most: of jobs that ended longer ago only the transitions and what somebody did stay in the
-- audit; the rest becomes one line that says how many there were. Deliveries lose their single attempts. See blank.sql.
WITH due AS (
    SELECT id, finished_at FROM jobs
    WHERE finished_at IS NOT NULL AND finished_at < now() - $1::interval AND (finished_at, id) > (
        coalesce((SELECT r.finished_at FROM retention r WHERE task = 'fold'), '-infinity'),
        coalesce((SELECT r.id FROM retention r WHERE task = 'fold'), '00000000-0000-0000-0000-000000000000'))
    ORDER BY finished_at, id LIMIT $2
), held AS MATERIALIZED (
    SELECT id FROM jobs WHERE id IN (SELECT id FROM due) FOR NO KEY UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM job_events e USING held
    WHERE e.job_id = held.id AND e.type NOT IN ('job', 'folded') AND NOT e.data ? 'by'
    RETURNING e.job_id, e.seq, e.at, e.tx
), told AS (
    INSERT INTO job_events (job_id, seq, type, at, tx, data)
    SELECT job_id, min(seq), 'folded', min(at), min(tx), jsonb_build_object('events', count(*), 'until', max(at))
    FROM gone GROUP BY job_id
    RETURNING job_id
), attempts AS (
    DELETE FROM delivery_attempts a USING deliveries d, held
    WHERE d.job_id = held.id AND a.delivery_id = d.id AND d.finished_at IS NOT NULL
), moved AS (
    INSERT INTO retention (task, finished_at, id)
    SELECT 'fold', finished_at, id FROM due
    WHERE NOT EXISTS (
        SELECT FROM due skipped WHERE skipped.id NOT IN (SELECT id FROM held)
            AND (skipped.finished_at, skipped.id) <= (due.finished_at, due.id))
    ORDER BY finished_at DESC, id DESC LIMIT 1
    ON CONFLICT (task) DO UPDATE SET finished_at = excluded.finished_at, id = excluded.id
    RETURNING task
)
SELECT (SELECT count(*) FROM told) AS done,
    (SELECT count(*) FROM due) = $2 AND EXISTS (SELECT FROM moved) AS more
