-- Runners' activities: what was recorded, kept as bytes, and the figures that were computed from it.

CREATE TABLE workouts (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id text NOT NULL CHECK (length(user_id) BETWEEN 1 AND 256),
    -- of the uncompressed bytes that it came in
    content_hash text NOT NULL CHECK (content_hash ~ '^[0-9a-f]{64}$'),
    -- to the second: what two recordings of one workout share
    started_at timestamptz NOT NULL CHECK (date_trunc('second', started_at, 'UTC') = started_at),
    name text NOT NULL,
    type text NOT NULL CHECK (type IN ('run', 'walk', 'hike', 'ride', 'swim', 'row', 'ski', 'other')),
    is_run boolean NOT NULL,
    source text NOT NULL CHECK (source IN ('fit', 'gpx', 'tcx', 'json')),
    -- all that is known of it; and of its figures the values alone, by their names, for reading many
    facts jsonb NOT NULL,
    figures jsonb NOT NULL CHECK (jsonb_typeof(figures) = 'object'),
    distance_meters double precision GENERATED ALWAYS AS ((figures ->> 'distance')::double precision) STORED,
    max_heart_rate double precision GENERATED ALWAYS AS ((figures ->> 'max_heart_rate')::double precision) STORED,
    -- what was known of the runner when the facts were computed
    runner jsonb NOT NULL,
    recording bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (user_id, content_hash),
    UNIQUE (user_id, started_at)
);
-- it is compressed already
ALTER TABLE workouts ALTER COLUMN recording SET STORAGE EXTERNAL;
CREATE INDEX workouts_by_distance ON workouts (user_id, distance_meters) WHERE is_run;
CREATE INDEX workouts_by_heart_rate ON workouts (user_id, max_heart_rate DESC NULLS LAST);
