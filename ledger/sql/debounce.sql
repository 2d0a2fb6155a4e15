-- $1: a new job as JSON. Its start joins the waiting job of the same debounce key: that one waits on, yet never longer
-- than ten times the delay since it was first asked for. No row: nobody waits, or the idempotency key is known.
WITH new AS (
    SELECT *, make_interval(secs => debounce_seconds) AS delay FROM jsonb_to_record($1) AS n (
        id uuid, kind text, owner text, title text, payload jsonb, payload_hash text, active_key text, cache_key text,
        idempotency_key text, key_ttl_seconds double precision,
        debounce_key text, debounce_seconds double precision, debounce_trailing boolean)
), waiting AS (
    SELECT j.id, greatest(j.not_before, least(now() + delay, j.created_at + 10 * delay)) AS not_before
    FROM jobs j JOIN new ON j.kind = new.kind AND j.owner = new.owner AND j.debounce_key = new.debounce_key
    WHERE j.claimed_until IS NULL AND j.engine_started_at IS NULL AND j.status IN ('queued', 'delayed')
        AND NOT EXISTS (
            SELECT FROM idempotency_keys k WHERE k.kind = new.kind AND k.owner = new.owner
                AND k.key = new.idempotency_key AND k.expires_at > now())
    FOR NO KEY UPDATE OF j
), job AS (
    UPDATE jobs j SET
        not_before = waiting.not_before, start_by = j.start_by + (waiting.not_before - j.not_before),
        status = CASE WHEN waiting.not_before > now() THEN 'delayed' ELSE j.status END, updated_at = now(),
        fair_rank = CASE WHEN waiting.not_before <= now() THEN j.fair_rank END,
        payload = CASE WHEN debounce_trailing THEN new.payload ELSE j.payload END,
        title = CASE WHEN debounce_trailing THEN new.title ELSE j.title END,
        active_key = CASE WHEN debounce_trailing THEN new.active_key ELSE j.active_key END,
        cache_key = CASE WHEN debounce_trailing THEN new.cache_key ELSE j.cache_key END
    FROM waiting, new WHERE j.id = waiting.id
    RETURNING j.id, j.status
), taken AS (
    INSERT INTO idempotency_keys AS k (kind, owner, key, payload_hash, job_id, expires_at)
    SELECT kind, owner, idempotency_key, payload_hash, job.id, now() + make_interval(secs => key_ttl_seconds)
    FROM new, job WHERE idempotency_key IS NOT NULL
    ON CONFLICT (kind, owner, key) DO UPDATE
        SET payload_hash = excluded.payload_hash, job_id = excluded.job_id, expires_at = excluded.expires_at
        WHERE k.expires_at <= now()
)
SELECT id, status FROM job
