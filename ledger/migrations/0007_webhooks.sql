-- Telling the world: endpoints, and what is to be told to whom. A delivery commits together with the status it tells.

CREATE TABLE webhooks (
    id uuid PRIMARY KEY,
    -- '': the jobs of everybody
    owner text NOT NULL,
    url text NOT NULL,
    events text[] NOT NULL CHECK (cardinality(events) > 0),
    secret text NOT NULL,
    previous_secret text,
    previous_until timestamptz,
    status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'disabled')),
    disabled_reason text,
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((previous_secret IS NULL) = (previous_until IS NULL)),
    CHECK ((status = 'disabled') = (disabled_reason IS NOT NULL))
);
CREATE INDEX webhooks_active ON webhooks (owner) WHERE status = 'active';
CREATE INDEX webhooks_newest ON webhooks (created_at DESC, id DESC);

CREATE TABLE deliveries (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    -- what receivers know the event by: one for each change of a job, whoever is told and however often
    event_id text NOT NULL,
    event text NOT NULL,
    -- NULL: a test
    job_id uuid REFERENCES jobs ON DELETE CASCADE,
    channel text NOT NULL CHECK (channel IN ('webhook', 'email')),
    -- an endpoint, which may be gone by now; NULL: the address that the job itself brought
    webhook_id uuid,
    status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'delivered', 'failed')),
    -- attempts in all, and those since it was asked for: the back-off counts the latter
    attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    tries integer NOT NULL DEFAULT 0 CHECK (tries >= 0),
    -- the next attempt; and when somebody makes sure that the engine knows of it
    due_at timestamptz NOT NULL DEFAULT now(),
    look_at timestamptz NOT NULL DEFAULT now(),
    created_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    CHECK ((status = 'pending') = (finished_at IS NULL)),
    CHECK (job_id IS NOT NULL OR webhook_id IS NOT NULL)
);
CREATE UNIQUE INDEX deliveries_once ON deliveries (job_id, event, channel, coalesce(webhook_id, job_id))
    WHERE job_id IS NOT NULL;
CREATE INDEX deliveries_to_look_at ON deliveries (look_at) WHERE status = 'pending';
CREATE INDEX deliveries_by_webhook ON deliveries (webhook_id, created_at DESC, id DESC) WHERE webhook_id IS NOT NULL;

CREATE TABLE delivery_attempts (
    delivery_id uuid NOT NULL REFERENCES deliveries ON DELETE CASCADE,
    number integer NOT NULL CHECK (number > 0),
    at timestamptz NOT NULL DEFAULT now(),
    status_code integer,
    error text,
    duration_ms integer NOT NULL CHECK (duration_ms >= 0),
    PRIMARY KEY (delivery_id, number)
);

-- $1 job, $2 the status it took, $3 its owner, $4 its own webhook, $5 its e-mail. Call it in the statement that writes
-- the status, where a volatile function is surely evaluated. Twice for the same change writes once.
CREATE FUNCTION tell(uuid, text, text, text, text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    told CONSTANT text := 'job.' || CASE $2 WHEN 'running' THEN 'started' WHEN 'timed_out' THEN 'failed' ELSE $2 END;
BEGIN
    INSERT INTO deliveries (event_id, event, job_id, channel, webhook_id)
    SELECT 'evt_' || replace($1::text, '-', '') || '_' || split_part(told, '.', 2), told, $1, receiver.channel, receiver.id
    FROM (
        SELECT 'webhook' AS channel, w.id FROM webhooks w
        WHERE w.status = 'active' AND w.owner IN ('', $3) AND told = ANY (w.events)
        UNION ALL SELECT 'webhook', NULL WHERE $4 IS NOT NULL
        UNION ALL SELECT 'email', NULL WHERE $5 IS NOT NULL AND told IN ('job.completed', 'job.failed', 'job.expired')
    ) receiver
    ON CONFLICT DO NOTHING;
    IF FOUND THEN
        PERFORM pg_notify(current_schema(), 'deliveries');
    END IF;
END $$;
