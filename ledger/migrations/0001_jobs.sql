-- The record of every job that was asked for. A terminal status is never left; time and status agree.

CREATE TABLE jobs (
    id uuid PRIMARY KEY,
    kind text NOT NULL,
    owner text NOT NULL DEFAULT '',
    tier text NOT NULL DEFAULT 'free' CHECK (tier IN ('free', 'premium')),
    status text NOT NULL CHECK (status IN
        ('queued', 'delayed', 'running', 'completed', 'failed', 'canceled', 'expired', 'timed_out')),
    title text NOT NULL DEFAULT '',
    payload jsonb NOT NULL,
    plan jsonb NOT NULL,
    result jsonb,
    error jsonb,
    spent_tokens bigint NOT NULL DEFAULT 0,
    spent_usd numeric NOT NULL DEFAULT 0,
    max_tokens bigint,
    max_usd numeric,
    answered_by text,
    tags text[] NOT NULL DEFAULT '{}' CHECK (cardinality(tags) <= 10),
    metadata jsonb NOT NULL DEFAULT '{}',
    retry jsonb,
    max_duration_seconds integer NOT NULL CHECK (max_duration_seconds > 0),
    idempotency_key text,
    active_key text,
    joinable boolean NOT NULL DEFAULT false,
    cache_key text,
    concurrency_key text,
    priority smallint NOT NULL DEFAULT 3 CHECK (priority BETWEEN 1 AND 5),
    fair_rank double precision NOT NULL DEFAULT 0,
    not_before timestamptz,
    start_by timestamptz,
    parent_id uuid REFERENCES jobs,
    batch_id uuid,
    schedule_id text,
    replay_of uuid,
    event_seq bigint NOT NULL DEFAULT 1,
    -- claimed_until: somebody talks to the engine about this row until then; NULL: nobody ever did
    claimed_until timestamptz,
    engine_started_at timestamptz,
    cancel_requested_at timestamptz,
    cancel_requested_by text,
    cancel_reason text,
    cancel_sent_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    finished_at timestamptz,
    updated_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((status IN ('completed', 'failed', 'canceled', 'expired', 'timed_out')) = (finished_at IS NOT NULL)),
    CHECK (status <> 'completed' OR error IS NULL),
    CHECK (status NOT IN ('failed', 'timed_out') OR error IS NOT NULL),
    CHECK (status <> 'running' OR started_at IS NOT NULL)
) WITH (fillfactor = 80);

CREATE INDEX jobs_waiting ON jobs (priority, fair_rank, created_at)
    WHERE engine_started_at IS NULL AND status IN ('queued', 'delayed');
CREATE INDEX jobs_open ON jobs (created_at) WHERE status IN ('queued', 'delayed', 'running');
CREATE INDEX jobs_by_owner ON jobs (owner, created_at DESC) WHERE owner <> '';
CREATE INDEX jobs_newest ON jobs (created_at DESC, id DESC);
CREATE INDEX jobs_by_batch ON jobs (batch_id) WHERE batch_id IS NOT NULL;
CREATE INDEX jobs_by_parent ON jobs (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX jobs_cached ON jobs (cache_key, finished_at DESC)
    WHERE status = 'completed' AND cache_key IS NOT NULL;
CREATE INDEX jobs_active ON jobs (active_key)
    WHERE active_key IS NOT NULL AND status IN ('queued', 'delayed', 'running');
CREATE UNIQUE INDEX jobs_one_active ON jobs (active_key)
    WHERE joinable AND status IN ('queued', 'delayed', 'running');

CREATE FUNCTION keep_terminal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'job % is %: a terminal status is never left', OLD.id, OLD.status
        USING ERRCODE = 'check_violation', CONSTRAINT = 'jobs_keep_terminal';
END $$;

CREATE TRIGGER jobs_keep_terminal BEFORE UPDATE OF status ON jobs FOR EACH ROW
    WHEN (OLD.finished_at IS NOT NULL AND NEW.status <> OLD.status) EXECUTE FUNCTION keep_terminal();

CREATE TABLE job_steps (
    job_id uuid NOT NULL REFERENCES jobs ON DELETE CASCADE,
    activity_id text NOT NULL,
    name text NOT NULL,
    status text NOT NULL CHECK (status IN ('running', 'retrying', 'completed', 'failed', 'skipped')),
    -- the guard of every write: (scheduled_at, delivery, rank of status) only grows
    scheduled_at timestamptz NOT NULL,
    delivery integer NOT NULL CHECK (delivery >= 0),
    failures integer NOT NULL DEFAULT 0 CHECK (failures >= 0),
    waited_seconds double precision NOT NULL DEFAULT 0,
    max_attempts integer NOT NULL CHECK (max_attempts > 0),
    output jsonb CHECK (output IS NULL OR status = 'completed'),
    error jsonb,
    started_at timestamptz,
    finished_at timestamptz,
    PRIMARY KEY (job_id, activity_id),
    CHECK ((status IN ('completed', 'failed', 'skipped')) = (finished_at IS NOT NULL))
);

CREATE FUNCTION step_rank(status text) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
    $$ SELECT CASE status WHEN 'running' THEN 1 WHEN 'retrying' THEN 2 ELSE 3 END $$;

CREATE TABLE job_events (
    job_id uuid NOT NULL REFERENCES jobs ON DELETE CASCADE,
    seq bigint NOT NULL,
    type text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    tx xid8 NOT NULL DEFAULT pg_current_xact_id(),
    data jsonb NOT NULL,
    PRIMARY KEY (job_id, seq)
);

CREATE TABLE idempotency_keys (
    kind text NOT NULL,
    owner text NOT NULL,
    key text NOT NULL CHECK (length(key) BETWEEN 1 AND 2048),
    payload_hash text NOT NULL,
    job_id uuid NOT NULL REFERENCES jobs ON DELETE CASCADE,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (kind, owner, key)
);
CREATE INDEX idempotency_keys_by_job ON idempotency_keys (job_id);

CREATE TABLE spend (
    id uuid PRIMARY KEY,
    job_id uuid NOT NULL REFERENCES jobs ON DELETE CASCADE,
    step text NOT NULL,
    item text NOT NULL DEFAULT '',
    turn integer NOT NULL DEFAULT 0,
    attempt integer NOT NULL DEFAULT 1,
    vendor text NOT NULL,
    model text NOT NULL,
    input_tokens bigint NOT NULL CHECK (input_tokens >= 0),
    output_tokens bigint NOT NULL CHECK (output_tokens >= 0),
    cached_tokens bigint NOT NULL DEFAULT 0 CHECK (cached_tokens >= 0),
    cost_usd numeric CHECK (cost_usd >= 0),
    prompt_hash text NOT NULL,
    answer jsonb,
    at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX spend_by_job ON spend (job_id, step);

CREATE FUNCTION usage_of(job uuid) RETURNS jsonb LANGUAGE sql STABLE AS $$
    WITH models AS (
        SELECT vendor, model, sum(input_tokens) AS i, sum(output_tokens) AS o, sum(cached_tokens) AS c,
            CASE WHEN bool_and(cost_usd IS NOT NULL) THEN sum(cost_usd) END AS usd
        FROM spend WHERE job_id = job GROUP BY vendor, model
    )
    SELECT jsonb_build_object(
        'inputTokens', coalesce(sum(i), 0), 'outputTokens', coalesce(sum(o), 0), 'audioSeconds', 0,
        'costUsd', CASE WHEN bool_and(usd IS NOT NULL) THEN sum(usd) END,
        'byModel', coalesce(jsonb_agg(jsonb_build_object('vendor', vendor, 'model', model, 'inputTokens', i,
            'outputTokens', o, 'cachedTokens', c, 'costUsd', usd) ORDER BY model), '[]'))
    FROM models
$$;

CREATE TABLE reports (
    name text PRIMARY KEY,
    report jsonb NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
);
