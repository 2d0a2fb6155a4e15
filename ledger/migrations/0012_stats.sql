-- Figures of what was done, care for what grows old, who changed what, and views for other programs' own SQL.

-- What was done that belongs to no one job: pauses, limits, endpoints. A job's own events say who did what to it.
CREATE TABLE audit (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    by text NOT NULL,
    action text NOT NULL,
    subject text NOT NULL,
    data jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX audit_by_subject ON audit (subject, id DESC);

-- Since when payload and result are gone.
ALTER TABLE jobs ADD COLUMN blanked_at timestamptz;
CREATE INDEX jobs_by_end ON jobs (finished_at, id) WHERE finished_at IS NOT NULL;
-- How far each task of retention has come: everything that ended before is done.
CREATE TABLE retention (task text PRIMARY KEY, finished_at timestamptz NOT NULL, id uuid NOT NULL);
CREATE INDEX idempotency_keys_expired ON idempotency_keys (expires_at);

-- Few rows however many jobs there are: what the engine has in hand, and what went wrong.
CREATE INDEX jobs_in_engine ON jobs (created_at DESC, id DESC)
    WHERE engine_started_at IS NOT NULL AND finished_at IS NULL;
CREATE INDEX jobs_unsuccessful ON jobs (created_at DESC, id DESC)
    WHERE status IN ('failed', 'timed_out', 'expired', 'canceled');
-- A job without tags costs these nothing.
CREATE INDEX jobs_by_tag ON jobs USING gin (tags) WHERE tags <> '{}';

-- Ends that no figure holds yet: appended by whoever ends a job, taken away in portions by the one who adds them up,
-- so that each is counted once and nobody waits for a row that all would write. `jobs` is 0 for money spent after an end.
CREATE TABLE job_ends (
    owner text NOT NULL,
    kind text NOT NULL,
    day date NOT NULL,
    status text NOT NULL,
    jobs integer NOT NULL,
    seconds double precision,
    tokens bigint NOT NULL,
    usd numeric NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);

CREATE TABLE stats_counts (
    everyone boolean NOT NULL,
    owner text NOT NULL,
    day date NOT NULL,
    kind text NOT NULL,
    completed bigint NOT NULL,
    failed bigint NOT NULL,
    canceled bigint NOT NULL,
    expired bigint NOT NULL,
    timed_out bigint NOT NULL,
    tokens bigint NOT NULL,
    usd numeric NOT NULL,
    PRIMARY KEY (everyone, owner, day, kind)
);

-- Who had most done in a month, of each kind and ('') of all.
CREATE TABLE stats_owners (
    month date NOT NULL,
    kind text NOT NULL,
    owner text NOT NULL,
    jobs bigint NOT NULL,
    PRIMARY KEY (month, kind, owner)
);
CREATE INDEX stats_owners_by_jobs ON stats_owners (month, kind, jobs DESC, owner);

-- How long completed jobs ran: bucket n holds those of at most 1.1 ^ n milliseconds.
CREATE TABLE stats_durations (
    everyone boolean NOT NULL,
    owner text NOT NULL,
    day date NOT NULL,
    kind text NOT NULL,
    bucket smallint NOT NULL,
    jobs bigint NOT NULL,
    PRIMARY KEY (everyone, owner, day, kind, bucket)
);

CREATE FUNCTION duration_bucket(seconds double precision) RETURNS smallint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
    $$ SELECT CASE WHEN seconds <= 0.001 THEN 0 ELSE ceil(ln(seconds * 1000) / ln(1.1)) END::smallint $$;

CREATE FUNCTION keep_end() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO job_ends (owner, kind, day, status, jobs, seconds, tokens, usd) VALUES (
        NEW.owner, NEW.kind, (NEW.finished_at AT TIME ZONE 'UTC')::date, NEW.status, 1,
        CASE WHEN NEW.status = 'completed' THEN extract(epoch FROM NEW.finished_at - NEW.started_at) END,
        NEW.spent_tokens, NEW.spent_usd);
    RETURN NULL;
END $$;

CREATE FUNCTION keep_late_spend() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO job_ends (owner, kind, day, status, jobs, tokens, usd) VALUES (
        NEW.owner, NEW.kind, (NEW.finished_at AT TIME ZONE 'UTC')::date, NEW.status, 0,
        NEW.spent_tokens - OLD.spent_tokens, NEW.spent_usd - OLD.spent_usd);
    RETURN NULL;
END $$;

CREATE TRIGGER jobs_keep_end AFTER UPDATE OF status ON jobs FOR EACH ROW
    WHEN (OLD.finished_at IS NULL AND NEW.finished_at IS NOT NULL) EXECUTE FUNCTION keep_end();
CREATE TRIGGER jobs_keep_end_at_once AFTER INSERT ON jobs FOR EACH ROW
    WHEN (NEW.finished_at IS NOT NULL) EXECUTE FUNCTION keep_end();
CREATE TRIGGER jobs_keep_late_spend AFTER UPDATE OF spent_tokens ON jobs FOR EACH ROW
    WHEN (OLD.finished_at IS NOT NULL AND OLD.spent_tokens <> NEW.spent_tokens) EXECUTE FUNCTION keep_late_spend();

INSERT INTO job_ends
SELECT owner, kind, (finished_at AT TIME ZONE 'UTC')::date, status, 1,
    CASE WHEN status = 'completed' THEN extract(epoch FROM finished_at - started_at) END, spent_tokens, spent_usd
FROM jobs WHERE finished_at IS NOT NULL;

-- The step whose time is over without a word: {step, attempt, since}, or NULL. A job that waits for a job inside it, or
-- for an answer from outside, is not silent. `since`: the last word of the job. A plan of before has no `maxSeconds`.
CREATE FUNCTION silent_step(uuid, jsonb, timestamptz) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
    job CONSTANT uuid := $1;
    silence CONSTANT double precision := extract(epoch FROM now() - $3);
    shortest integer := 900;
    planned jsonb;
    found record;
BEGIN
    -- most jobs were heard of lately: for them nothing more is read
    FOR planned IN SELECT * FROM jsonb_array_elements($2) LOOP
        shortest := least(shortest, (planned ->> 'maxSeconds')::integer);
    END LOOP;
    IF silence <= shortest THEN
        RETURN NULL;
    END IF;
    SELECT due.name, due.attempt INTO found FROM (
        SELECT name, failures + 1 AS attempt, 0 AS place FROM job_steps WHERE job_id = job AND status IN ('running', 'retrying')
        UNION ALL
        SELECT p ->> 'name', 0, place FROM jsonb_array_elements($2) WITH ORDINALITY listed (p, place)
        WHERE NOT EXISTS (SELECT FROM job_steps s WHERE s.job_id = job AND s.name = p ->> 'name')
        UNION ALL
        SELECT NULL, 0, 1000
    ) due LEFT JOIN jsonb_array_elements($2) p ON p ->> 'name' = due.name
    ORDER BY least(due.place, 1), CASE due.place WHEN 0 THEN (p ->> 'maxSeconds')::integer ELSE due.place END LIMIT 1;
    IF silence <= coalesce((SELECT (p ->> 'maxSeconds')::integer FROM jsonb_array_elements($2) p
            WHERE p ->> 'name' = found.name LIMIT 1), 900)
        OR EXISTS (SELECT FROM jobs c WHERE c.parent_id = job AND c.status IN ('queued', 'delayed', 'running'))
        OR EXISTS (SELECT FROM waitpoints w WHERE w.job_id = job AND w.status = 'waiting' AND w.expires_at > now())
    THEN
        RETURN NULL;
    END IF;
    RETURN jsonb_build_object('step', found.name, 'attempt', found.attempt, 'since', $3);
END $$;

-- Steps that will not run again, and how many there are, as people see them.
CREATE FUNCTION steps_done(job uuid, plan jsonb, ended boolean) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN ended THEN total ELSE done END || '/' || total
    FROM (
        SELECT jsonb_array_length(plan) AS total, count(DISTINCT name) AS done FROM job_steps
        WHERE job_id = job AND status IN ('completed', 'failed', 'skipped') AND activity_id NOT LIKE '%#otherwise'
    ) counted
$$;

-- Each branch knows `finished` or `success` from its status alone, so that asking for either reads few rows.
CREATE VIEW worker_jobs AS
SELECT id, kind AS type, coalesce(idempotency_key, tags[1]) AS tag, nullif(owner, '') AS user_id,
    'temporal'::text AS executor, kind AS trigger_task_id, id::text AS trigger_run_id,
    upper(status) AS trigger_status, payload AS data, coalesce(result, error) AS result, success, retry AS retry_config,
    schedule_id, batch_id, parent_id, created_at, started_at AS started, finished, updated_at
FROM (
    SELECT j.*, NULL::boolean AS success, NULL::timestamptz AS finished FROM jobs j
    WHERE status IN ('queued', 'delayed', 'running')
    UNION ALL
    SELECT j.*, true, finished_at FROM jobs j WHERE status = 'completed' AND finished_at IS NOT NULL
    UNION ALL
    SELECT j.*, false, finished_at FROM jobs j
    WHERE status IN ('failed', 'timed_out', 'expired') AND finished_at IS NOT NULL
    UNION ALL
    SELECT j.*, NULL::boolean, finished_at FROM jobs j WHERE status = 'canceled' AND finished_at IS NOT NULL
) j;

CREATE VIEW batch_jobs AS
SELECT id, id AS job_id, batch_id, kind AS type, nullif(owner, '') AS user_id,
    CASE WHEN status IN ('queued', 'delayed', 'running') THEN 'processing'
        WHEN status IN ('completed', 'canceled') THEN status ELSE 'failed' END AS status,
    status AS job_status, steps_done(id, plan, finished_at IS NOT NULL) AS progress,
    finished_at IS NOT NULL AS is_complete, payload ->> 'companyName' AS company_name, payload ->> 'role' AS role,
    payload, result AS results, error ->> 'message' AS error, created_at, started_at, finished_at AS completed_at, updated_at
FROM jobs;

CREATE VIEW workflow_executions AS
SELECT id, kind AS type, coalesce(payload ->> 'workflowName', nullif(title, ''), kind) AS workflow_name,
    payload ->> 'workflowDescription' AS workflow_description, payload ->> 'mode' AS mode, payload ->> 'modelId' AS model_id,
    nullif(owner, '') AS user_id, status, steps_done(id, plan, finished_at IS NOT NULL) AS progress,
    jsonb_array_length(plan) AS total_steps, result, error, spent_tokens, spent_usd,
    created_at, started_at, finished_at AS completed_at, updated_at
FROM jobs;

CREATE VIEW workflow_steps AS
SELECT j.id AS execution_id, planned.place::integer - 1 AS step_index, planned.step ->> 'name' AS name,
    coalesce(s.status, CASE WHEN j.finished_at IS NULL THEN 'pending' ELSE 'skipped' END) AS status,
    coalesce(s.failures + (s.status <> 'failed')::integer, 0) AS attempt,
    (planned.step ->> 'maxAttempts')::integer AS max_attempts, s.output, s.error, s.started_at,
    s.finished_at AS completed_at
FROM jobs j
CROSS JOIN LATERAL jsonb_array_elements(j.plan) WITH ORDINALITY AS planned (step, place)
LEFT JOIN LATERAL (
    SELECT * FROM job_steps w
    WHERE w.job_id = j.id AND w.name = planned.step ->> 'name' AND w.activity_id NOT LIKE '%#otherwise'
    ORDER BY w.scheduled_at DESC LIMIT 1
) s ON true;
