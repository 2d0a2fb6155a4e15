-- $1: new jobs as a JSON array; $2: how old a cached result may be. All or nothing; a row that is missing in the
-- answer met another one: the same id (a repeated commit), a living idempotency key, or an active job to join.
WITH new AS (
    SELECT * FROM jsonb_to_recordset($1) AS n (
        id uuid, kind text, owner text, tier text, title text, payload jsonb, plan jsonb, tags jsonb, metadata jsonb,
        retry jsonb, max_duration_seconds integer, max_tokens bigint, max_usd numeric, idempotency_key text,
        key_ttl_seconds double precision, payload_hash text, active_key text, joinable boolean, cache_key text,
        fresh boolean, concurrency_key text, priority smallint, not_before timestamptz, start_by timestamptz,
        parent_id uuid, batch_id uuid, schedule_id text, replay_of uuid,
        webhook text, email text, debounce_key text, in_engine boolean)
), wanted AS (
    SELECT new.*, hit.result AS answer FROM new
    LEFT JOIN LATERAL (
        SELECT result FROM jobs j
        WHERE NOT new.fresh AND j.cache_key = new.cache_key AND j.status = 'completed' AND j.finished_at > now() - $2::interval
        ORDER BY j.finished_at DESC LIMIT 1
    ) hit ON true
    LEFT JOIN LATERAL (
        -- with EXISTS the planner would hash every open job
        SELECT true AS found FROM jobs j
        WHERE new.joinable AND j.active_key = new.active_key AND j.status IN ('queued', 'delayed', 'running')
        LIMIT 1
    ) active ON true
    WHERE active.found IS NULL
), taken AS (
    INSERT INTO idempotency_keys AS k (kind, owner, key, payload_hash, job_id, expires_at)
    SELECT kind, owner, idempotency_key, payload_hash, id, now() + make_interval(secs => key_ttl_seconds)
    FROM wanted WHERE idempotency_key IS NOT NULL
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
    SELECT id, kind, owner, tier,
        CASE WHEN answer IS NOT NULL THEN 'completed' WHEN not_before > now() THEN 'delayed' ELSE 'queued' END,
        title, payload, plan, answer || '{"cached": true}',
        ARRAY(SELECT jsonb_array_elements_text(wanted.tags)), metadata, retry, max_duration_seconds, max_tokens, max_usd,
        idempotency_key, active_key, joinable, CASE WHEN answer IS NULL THEN cache_key END, concurrency_key, priority,
        not_before, start_by, parent_id, batch_id, schedule_id, replay_of, webhook, email, debounce_key,
        CASE WHEN in_engine THEN now() END, CASE WHEN answer IS NOT NULL THEN now() END
    FROM wanted
    WHERE idempotency_key IS NULL OR id IN (SELECT job_id FROM taken)
    ON CONFLICT DO NOTHING
    RETURNING id, status
), told AS (
    INSERT INTO job_events (job_id, seq, type, data)
    SELECT id, 1, 'job', jsonb_build_object('status', status) FROM job
)
-- Who finds others waiting need not wake the dispatcher: it comes for them, and once more after it has found some.
SELECT id, status, CASE WHEN NOT EXISTS (
    SELECT FROM jobs WHERE engine_started_at IS NULL AND status IN ('queued', 'delayed')
        AND status = 'queued' AND claimed_until IS NULL
    ORDER BY priority, fair_rank, created_at LIMIT 1) THEN pg_notify(current_schema(), '') END FROM job
