-- $1 waitpoint, $2 completed | failed, $3 output as text, $4 error, $5 who. Lands only while somebody waits for it;
-- answers whether it did. The job's row is locked before the waitpoint's, here and everywhere.
WITH job AS (
    SELECT j.id, j.finished_at FROM jobs j JOIN waitpoints w ON w.job_id = j.id WHERE w.id = $1 FOR NO KEY UPDATE OF j
), before AS (
    SELECT w.id, waitpoint_status(w.status, w.expires_at, job.finished_at) AS status
    FROM waitpoints w LEFT JOIN job ON true WHERE w.id = $1 FOR UPDATE OF w
), point AS (
    UPDATE waitpoints w SET status = $2, output = $3::text::jsonb, error = $4, resolved_at = now(), resolved_by = $5,
        tell_after = CASE WHEN w.job_id IS NOT NULL THEN now() END
    FROM before WHERE w.id = before.id AND before.status = 'waiting'
    RETURNING w.*
), bumped AS (
    UPDATE jobs SET event_seq = event_seq + 1, updated_at = now() FROM point WHERE jobs.id = point.job_id
    RETURNING jobs.id, jobs.event_seq
), told AS (
    INSERT INTO job_events (job_id, seq, type, data)
    SELECT bumped.id, event_seq, 'resolved', jsonb_strip_nulls(jsonb_build_object(
        'name', split_part(activity_id, '#', 1), 'activityId', activity_id, 'waitpointId', point.id,
        'status', point.status, 'error', point.error, 'by', resolved_by)) FROM bumped, point
)
SELECT EXISTS (SELECT FROM point) AS landed
