-- Items that are offered again after a failure, and what vendors let us ask in a minute.

-- `attempts`: the vendor's failures so far. `waited_seconds`: what it had us wait without counting one. `due_at`: not
-- before then; NULL: at once. The reason of the last failure stands in `outcome`.
ALTER TABLE job_items
    ADD COLUMN attempts smallint NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    ADD COLUMN waited_seconds double precision NOT NULL DEFAULT 0,
    ADD COLUMN due_at timestamptz;

-- What may be asked of a vendor's model now: it fills up with time, and `clock` is the rank of the last call. Below
-- nothing it falls when a call takes more than fits.
CREATE TABLE vendor_buckets (
    vendor text NOT NULL,
    model text NOT NULL,
    requests double precision NOT NULL,
    tokens double precision NOT NULL,
    filled_at timestamptz NOT NULL,
    clock double precision NOT NULL DEFAULT 0,
    PRIMARY KEY (vendor, model)
) WITH (fillfactor = 50);

-- Whose turn it is: the lowest rank of those who ask. Who does not ask again in time has left.
CREATE TABLE vendor_turns (
    vendor text NOT NULL,
    model text NOT NULL,
    owner text NOT NULL,
    rank double precision NOT NULL,
    asks_until timestamptz NOT NULL,
    PRIMARY KEY (vendor, model, owner)
) WITH (fillfactor = 50);

-- Seconds to wait before asking again; 0: the call's turn is taken. $4 tokens that it may take; $5 requests and
-- $6 tokens a minute (NULL: no limit). A sixth of a minute's fits into the bucket.
CREATE FUNCTION take_turn(text, text, job uuid, wanted double precision, double precision, double precision)
RETURNS double precision LANGUAGE plpgsql AS $$
DECLARE
    requests_a_second CONSTANT double precision := coalesce($5, 1e9) / 60;
    tokens_a_second CONSTANT double precision := coalesce($6, 1e12) / 60;
    most_requests CONSTANT double precision := greatest(10 * requests_a_second, 1);
    most_tokens CONSTANT double precision := 10 * tokens_a_second;
    asker record;
    bucket vendor_buckets;
    mine double precision;
    moment timestamptz;
    seconds double precision;
BEGIN
    SELECT j.owner, CASE j.tier WHEN 'premium' THEN 4 ELSE 1 END AS weight INTO asker FROM jobs j WHERE id = job;
    INSERT INTO vendor_buckets VALUES ($1, $2, most_requests, most_tokens, clock_timestamp()) ON CONFLICT DO NOTHING;
    SELECT * INTO bucket FROM vendor_buckets WHERE vendor = $1 AND model = $2 FOR NO KEY UPDATE;
    moment := clock_timestamp();
    seconds := greatest(extract(epoch FROM moment - bucket.filled_at), 0);
    bucket.requests := least(bucket.requests + seconds * requests_a_second, most_requests);
    bucket.tokens := least(bucket.tokens + seconds * tokens_a_second, most_tokens);
    INSERT INTO vendor_turns AS t VALUES ($1, $2, coalesce(asker.owner, ''), bucket.clock, moment)
    ON CONFLICT (vendor, model, owner) DO UPDATE SET rank = greatest(t.rank, excluded.rank)
    RETURNING rank INTO mine;
    seconds := greatest((1 - bucket.requests) / requests_a_second,
        (least(wanted, most_tokens) - bucket.tokens) / tokens_a_second, 0);
    IF seconds = 0 AND EXISTS (
        SELECT FROM vendor_turns WHERE vendor = $1 AND model = $2 AND asks_until > moment AND rank < mine)
    THEN
        seconds := 0.05;
    END IF;
    IF seconds = 0 THEN
        bucket.requests := bucket.requests - 1;
        bucket.tokens := bucket.tokens - wanted;
        bucket.clock := mine;
        mine := mine + 1.0 / coalesce(asker.weight, 1);
    ELSE
        seconds := least(seconds, 5);
    END IF;
    UPDATE vendor_turns SET rank = mine, asks_until = CASE WHEN seconds > 0
        THEN moment + make_interval(secs => seconds + 1) ELSE moment END
    WHERE vendor = $1 AND model = $2 AND owner = coalesce(asker.owner, '');
    UPDATE vendor_buckets SET requests = bucket.requests, tokens = bucket.tokens, clock = bucket.clock,
        filled_at = moment
    WHERE vendor = $1 AND model = $2;
    RETURN seconds;
END $$;

-- What is written about each run, as the seed's own queries ask for it.
CREATE VIEW generation_status AS
SELECT w.id, w.id AS activity_id, w.user_id, w.started_at AS activity_started_at,
    coalesce(l.status, 'pending') AS letter_status, coalesce(c.status, 'pending') AS coaching_status,
    l.error ->> 'message' AS letter_error, c.error ->> 'message' AS coaching_error,
    l.created_at AS letter_generated_at, c.created_at AS coaching_generated_at,
    greatest(w.created_at, l.updated_at, c.updated_at) AS updated_at
FROM workouts w
LEFT JOIN run_contents_now l ON l.workout_id = w.id AND l.half = 'letter'
LEFT JOIN run_contents_now c ON c.workout_id = w.id AND c.half = 'insight'
WHERE w.is_run;
