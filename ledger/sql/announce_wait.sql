-- $1 waitpoint: the audit is told, once, that the job waits and for what.
WITH job AS (
    SELECT j.id FROM jobs j JOIN waitpoints w ON w.job_id = j.id
    WHERE w.id = $1 AND w.announced_at IS NULL AND j.status = 'running' FOR NO KEY UPDATE OF j
), point AS (
    UPDATE waitpoints w SET announced_at = now() FROM job
    WHERE w.id = $1 AND w.announced_at IS NULL AND w.job_id = job.id
    RETURNING w.*
), bumped AS (
    UPDATE jobs SET event_seq = event_seq + 1, updated_at = now() FROM point WHERE jobs.id = point.job_id
    RETURNING jobs.id, jobs.event_seq
)
INSERT INTO job_events (job_id, seq, type, data)
SELECT bumped.id, event_seq, 'waiting', jsonb_build_object('name', split_part(activity_id, '#', 1),
    'activityId', activity_id, 'for', about, 'waitpointId', point.id, 'until', expires_at)
FROM bumped, point
