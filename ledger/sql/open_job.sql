-- :cache_for, how old a cached result may be; and a new job, its fields by their names in NewJob. No row: another one
-- stands in its place, be it the same id (a repeated commit), a living idempotency key, or a job to join.
WITH free AS (
    SELECT WHERE NOT (:joinable::boolean AND EXISTS (
        SELECT FROM jobs WHERE active_key = :active_key AND status IN ('queued', 'delayed', 'running')))
), taken AS (
    INSERT INTO idempotency_keys AS k (kind, owner, key, payload_hash, job_id, expires_at)
    SELECT :kind, :owner, :idempotency_key, :payload_hash, :id, now() + make_interval(secs => :key_ttl_seconds)
    FROM free WHERE :idempotency_key::text IS NOT NULL
    ON CONFLICT (kind, owner, key) DO UPDATE
        SET payload_hash = excluded.payload_hash, job_id = excluded.job_id, expires_at = excluded.expires_at
        WHERE k.expires_at <= now()
    RETURNING job_id
), job AS (
    INSERT INTO jobs (
        id, kind, owner, tier, status, title, payload, plan, result, tags, metadata, retry, max_duration_seconds,
        max_tokens, max_usd, idempotency_key, active_key, joinable, cache_key, concurrency_key, priority, not_before,
        start_by, parent_id, batch_id, schedule_id, replay_of, webhook, email, debounce_key,
        engine_started_at, finished_at)
    SELECT :id, :kind, :owner, coalesce(:tier, (SELECT tier FROM users WHERE id = :owner), 'free'),
        CASE WHEN answer IS NOT NULL THEN 'completed' WHEN :not_before > now() THEN 'delayed' ELSE 'queued' END,
        :title, :payload, :plan, answer, :tags, :metadata, :retry, :max_duration_seconds, :max_tokens, :max_usd,
        :idempotency_key, :active_key, :joinable, CASE WHEN answer IS NULL THEN :cache_key END, :concurrency_key,
        :priority, :not_before, :start_by, :parent_id, :batch_id, :schedule_id, :replay_of, :webhook, :email,
        :debounce_key, CASE WHEN :in_engine THEN now() END, CASE WHEN answer IS NOT NULL THEN now() END
    FROM free LEFT JOIN LATERAL (
        SELECT result || '{"cached": true}' AS answer FROM jobs
        WHERE NOT :fresh AND cache_key = :cache_key AND status = 'completed' AND finished_at > now() - :cache_for::interval
        ORDER BY finished_at DESC LIMIT 1
    ) hit ON true
    WHERE :idempotency_key::text IS NULL OR EXISTS (SELECT FROM taken)
    ON CONFLICT DO NOTHING
    RETURNING id, status, owner, webhook, email
), told AS (
    INSERT INTO job_events (job_id, seq, type, data)
    SELECT id, 1, 'job', jsonb_strip_nulls(jsonb_build_object('status', status, 'by', :asked_by::text)) FROM job
)
-- Who finds others waiting need not wake the dispatcher: it comes for them, and once more after it has found some.
SELECT id, status,
    CASE WHEN status = 'completed' THEN tell(id, status, owner, webhook, email)
        WHEN status = 'queued' AND NOT EXISTS (
            SELECT FROM jobs WHERE fair_rank IS NULL AND engine_started_at IS NULL AND status IN ('queued', 'delayed')
                AND coalesce(not_before, created_at) <= now())
        THEN pg_notify(current_schema(), '')
    END
FROM job
