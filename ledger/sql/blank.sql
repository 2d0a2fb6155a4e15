-- $1 for how long, $2 at most: payloads and results of jobs that ended longer ago are blanked, oldest end first, from
-- where the last portion came to. A row that somebody holds stops the place from moving beyond it.
WITH due AS (
    SELECT id, finished_at FROM jobs
    WHERE finished_at IS NOT NULL AND finished_at < now() - $1::interval AND (finished_at, id) > (
        coalesce((SELECT r.finished_at FROM retention r WHERE task = 'blank'), '-infinity'),
        coalesce((SELECT r.id FROM retention r WHERE task = 'blank'), '00000000-0000-0000-0000-000000000000'))
    ORDER BY finished_at, id LIMIT $2
), held AS MATERIALIZED (
    SELECT id FROM jobs WHERE id IN (SELECT id FROM due) FOR NO KEY UPDATE SKIP LOCKED
), blanked AS (
    UPDATE jobs SET payload = '{}', result = NULL, title = '', cache_key = NULL, active_key = NULL, webhook = NULL,
        email = NULL, blanked_at = now()
    FROM held WHERE jobs.id = held.id AND jobs.blanked_at IS NULL
    RETURNING jobs.id
), steps AS (
    UPDATE job_steps s SET output = NULL FROM held WHERE s.job_id = held.id AND s.output IS NOT NULL
), paid AS (
    UPDATE spend s SET answer = NULL FROM held WHERE s.job_id = held.id AND s.answer IS NOT NULL
), items AS (
    UPDATE job_items i SET item = '{}', outcome = NULL FROM held WHERE i.job_id = held.id AND i.item <> '{}'
), answers AS (
    UPDATE waitpoints w SET output = NULL FROM held WHERE w.job_id = held.id AND w.output IS NOT NULL
), called AS (
    DELETE FROM speech_callbacks c USING held WHERE c.job_id = held.id
), plans AS (
    DELETE FROM plan_calls p USING held WHERE p.job_id = held.id
), evidence AS (
    DELETE FROM research_evidence e USING held WHERE e.job_id = held.id
), drafts AS (
    DELETE FROM run_drafts d USING held WHERE d.job_id = held.id
), postings AS (
    DELETE FROM posting_drafts d USING held WHERE d.job_id = held.id
), pieces AS (
    DELETE FROM interview_pieces p USING held WHERE p.job_id = held.id
), unowned AS (
    DELETE FROM research_briefings b USING held WHERE b.job_id = held.id AND b.owner = ''
), moved AS (
    INSERT INTO retention (task, finished_at, id)
    SELECT 'blank', finished_at, id FROM due
    WHERE NOT EXISTS (
        SELECT FROM due skipped WHERE skipped.id NOT IN (SELECT id FROM held)
            AND (skipped.finished_at, skipped.id) <= (due.finished_at, due.id))
    ORDER BY finished_at DESC, id DESC LIMIT 1
    ON CONFLICT (task) DO UPDATE SET finished_at = excluded.finished_at, id = excluded.id
    RETURNING task
)
SELECT (SELECT count(*) FROM blanked) AS done,
    (SELECT count(*) FROM due) = $2 AND EXISTS (SELECT FROM moved) AS more
