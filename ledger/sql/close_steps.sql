-- $1 since when: steps that stayed open in jobs that have ended since then are closed as their job's end would have.
WITH closed AS (
    UPDATE job_steps s SET status = 'failed', finished_at = greatest(j.finished_at, s.started_at),
        error = jsonb_build_object('code', CASE j.status WHEN 'canceled' THEN 'canceled'
            ELSE coalesce(j.error ->> 'code', j.status) END,
            'message', 'the job ended while this step was open', 'step', s.name, 'retryable', false)
    FROM jobs j
    WHERE j.finished_at > $1 AND s.job_id = j.id AND s.status IN ('running', 'retrying')
    RETURNING s.job_id
)
SELECT DISTINCT job_id AS id FROM closed
