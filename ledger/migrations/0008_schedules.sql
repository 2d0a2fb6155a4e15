-- Schedules, each carried by the Temporal Schedule of the same id, and which workflow opened which job for them.

CREATE TABLE schedules (
    id text PRIMARY KEY,
    owner text NOT NULL DEFAULT '',
    kind text NOT NULL,
    payload jsonb NOT NULL,
    options jsonb NOT NULL DEFAULT '{}',
    cron text NOT NULL,
    timezone text NOT NULL,
    overlap text NOT NULL CHECK (overlap IN
        ('skip', 'buffer_one', 'buffer_all', 'cancel_other', 'terminate_other', 'allow_all')),
    catchup_window text NOT NULL,
    jitter text,
    deduplication_key text,
    paused boolean NOT NULL DEFAULT false,
    note text,
    -- drawn anew for each change and told to the engine: another one there means that the change did not get here
    mark text NOT NULL,
    -- what the engine had made of it then: something else there means that somebody changed it behind our back
    engine_digest text NOT NULL,
    next_run_at timestamptz,
    -- the engine names firings by the second: one triggered by hand takes a second of its own
    triggered_at timestamptz,
    last_job_id uuid,
    last_fired_at timestamptz,
    last_error jsonb,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX schedules_by_key ON schedules (owner, deduplication_key) WHERE deduplication_key IS NOT NULL;
CREATE INDEX schedules_newest ON schedules (created_at DESC, id DESC);
CREATE INDEX schedules_by_owner ON schedules (owner, created_at DESC, id DESC);

CREATE TABLE schedule_firings (
    job_id uuid PRIMARY KEY,
    schedule_id text NOT NULL REFERENCES schedules ON DELETE CASCADE,
    workflow_id text NOT NULL,
    due_at timestamptz NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX schedule_firings_by_schedule ON schedule_firings (schedule_id);

CREATE INDEX jobs_by_schedule ON jobs (schedule_id, created_at DESC) WHERE schedule_id IS NOT NULL;
