-- Durable waits: a step of a job, or somebody with no job at all, waits for an answer from outside.

CREATE TABLE waitpoints (
    id uuid PRIMARY KEY,
    -- NULL: it stands alone
    job_id uuid REFERENCES jobs ON DELETE CASCADE,
    activity_id text,
    about text NOT NULL DEFAULT '',
    status text NOT NULL DEFAULT 'waiting' CHECK (status IN ('waiting', 'completed', 'failed', 'timed_out', 'canceled')),
    output jsonb,
    error jsonb,
    token_hash bytea NOT NULL,
    -- when the step's activity was scheduled: a step that is run anew asks anew
    scheduled_at timestamptz,
    -- when the audit was told that the job waits here
    announced_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    resolved_at timestamptz,
    resolved_by text,
    -- when the workflow is to be told next; NULL: there is nothing to tell
    tell_after timestamptz,
    CHECK ((job_id IS NULL) = (activity_id IS NULL)),
    CHECK ((status = 'waiting') = (resolved_at IS NULL)),
    CHECK (status = 'completed' OR output IS NULL),
    CHECK (status NOT IN ('failed', 'timed_out') OR error IS NOT NULL OR job_id IS NULL)
);
CREATE UNIQUE INDEX waitpoints_by_step ON waitpoints (job_id, activity_id) WHERE job_id IS NOT NULL;
CREATE INDEX waitpoints_to_tell ON waitpoints (tell_after) WHERE tell_after IS NOT NULL;
CREATE INDEX waitpoints_waiting ON waitpoints (job_id)
    WHERE status = 'waiting' AND announced_at IS NOT NULL AND job_id IS NOT NULL;

-- What stands at a waitpoint: one whose job has ended is canceled and one whose time is over has timed out, though
-- nobody has written that yet. $1 status, $2 expires at, $3 when its job ended.
CREATE FUNCTION waitpoint_status(text, timestamptz, timestamptz) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN $1 <> 'waiting' THEN $1
        WHEN $2 <= coalesce($3, now()) THEN 'timed_out'
        WHEN $3 IS NOT NULL THEN 'canceled' ELSE 'waiting' END
$$;
