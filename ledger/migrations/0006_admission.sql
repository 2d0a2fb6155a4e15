-- Admission: the limits of each kind, the lanes of those who wait, and the order in which they start.

CREATE TABLE queues (
    kind text PRIMARY KEY,
    paused boolean NOT NULL DEFAULT false,
    total integer CHECK (total >= 0),
    per_owner integer CHECK (per_owner >= 0),
    -- where premium owners have a limit of their own
    per_premium_owner integer CHECK (per_premium_owner >= 0),
    per_key integer CHECK (per_key >= 0),
    starts_per_minute integer CHECK (starts_per_minute >= 0),
    -- the rank of the last start: who comes anew begins here, not behind the others' backlog
    clock double precision NOT NULL DEFAULT 0
);

-- One row for each (kind, owner, concurrency key) with jobs that wait; its head is the first of them. `parked`: the
-- limit that stopped it, until that has a free slot. Only the dispatcher writes it, under its lock.
CREATE TABLE lanes (
    kind text NOT NULL,
    owner text NOT NULL,
    key text NOT NULL,
    head_priority smallint NOT NULL,
    head_rank double precision NOT NULL,
    last_rank double precision NOT NULL,
    parked text CHECK (parked IN ('owner', 'key')),
    PRIMARY KEY (kind, owner, key)
) WITH (fillfactor = 70);
CREATE INDEX lanes_open ON lanes (kind, head_priority, head_rank) WHERE parked IS NULL;
CREATE INDEX lanes_of_owner ON lanes (kind, owner, last_rank DESC);
CREATE INDEX lanes_parked_by_owner ON lanes (kind, owner, head_priority, head_rank) WHERE parked = 'owner';
CREATE INDEX lanes_parked_by_key ON lanes (kind, key, head_priority, head_rank) WHERE parked = 'key';

-- Limits that have parked lanes: `name` is an owner or a concurrency key.
CREATE TABLE stops (
    kind text NOT NULL,
    what text NOT NULL CHECK (what IN ('owner', 'key')),
    name text NOT NULL,
    PRIMARY KEY (kind, what, name)
);

-- The starts of the last minute, of kinds with a limit on them.
CREATE TABLE recent_starts (kind text NOT NULL, at timestamptz NOT NULL DEFAULT now());
CREATE INDEX recent_starts_by_kind ON recent_starts (kind, at);

-- A job without a rank has just come, or is not due yet, or is none of the dispatcher's (a child, a schedule's).
UPDATE jobs SET concurrency_key = '' WHERE concurrency_key IS NULL;
ALTER TABLE jobs
    ALTER COLUMN concurrency_key SET DEFAULT '',
    ALTER COLUMN concurrency_key SET NOT NULL,
    ALTER COLUMN fair_rank DROP NOT NULL,
    ALTER COLUMN fair_rank DROP DEFAULT;
UPDATE jobs SET fair_rank = NULL
WHERE status IN ('queued', 'delayed', 'running') AND (parent_id IS NOT NULL OR claimed_until IS NULL);

DROP INDEX jobs_waiting;
CREATE INDEX jobs_arrived ON jobs ((coalesce(not_before, created_at)))
    WHERE fair_rank IS NULL AND engine_started_at IS NULL AND status IN ('queued', 'delayed');
CREATE INDEX jobs_waiting ON jobs (kind, owner, concurrency_key, priority, fair_rank)
    WHERE fair_rank IS NOT NULL AND claimed_until IS NULL AND status = 'queued';
CREATE INDEX jobs_in_line ON jobs (kind, priority, fair_rank)
    WHERE fair_rank IS NOT NULL AND claimed_until IS NULL AND status = 'queued';
CREATE INDEX jobs_expiring ON jobs (start_by) WHERE start_by IS NOT NULL AND status IN ('queued', 'delayed');
DROP INDEX jobs_in_hand;
CREATE INDEX jobs_in_hand ON jobs (claimed_until)
    WHERE claimed_until IS NOT NULL AND fair_rank IS NOT NULL AND status IN ('queued', 'delayed', 'running');
