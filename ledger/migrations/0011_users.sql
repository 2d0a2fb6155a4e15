-- What is known of an owner beyond the jobs; those not listed are free. And owners whose data is being erased.

CREATE TABLE users (
    id text PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 256),
    tier text NOT NULL DEFAULT 'free' CHECK (tier IN ('free', 'premium')),
    timezone text,
    email text,
    auto_generate boolean NOT NULL DEFAULT false,
    heart_rate jsonb,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- The id is that of the job which erases; once it is done nothing says whom.
CREATE TABLE erasures (
    id uuid PRIMARY KEY,
    user_id text,
    requested_at timestamptz NOT NULL DEFAULT now(),
    erased_at timestamptz,
    CHECK ((user_id IS NULL) = (erased_at IS NOT NULL))
);
CREATE UNIQUE INDEX erasures_open ON erasures (user_id) WHERE user_id IS NOT NULL;

-- One job a key waits, until somebody takes it to the engine.
CREATE UNIQUE INDEX jobs_debounced ON jobs (kind, owner, debounce_key)
    WHERE debounce_key IS NOT NULL AND claimed_until IS NULL AND engine_started_at IS NULL
        AND status IN ('queued', 'delayed');
