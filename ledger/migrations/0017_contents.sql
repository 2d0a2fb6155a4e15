-- What is written about runs: a letter and an insight each, reviews of more than one, and drafts while jobs work.

CREATE TABLE run_contents (
    workout_id uuid NOT NULL REFERENCES workouts ON DELETE CASCADE,
    half text NOT NULL CHECK (half IN ('letter', 'insight')),
    user_id text NOT NULL,
    -- of the job that was at it last; a `generating` whose job has ended is a failure that nobody could write
    status text NOT NULL CHECK (status IN ('generating', 'completed', 'failed')),
    job_id uuid REFERENCES jobs ON DELETE SET NULL,
    error jsonb,
    -- of the text that stands
    text text,
    facts jsonb,
    answered_by text CHECK (answered_by IN ('anthropic', 'openai', 'offline')),
    reason text,
    model text,
    usage jsonb,
    created_at timestamptz,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (workout_id, half),
    CHECK (status <> 'completed' OR text IS NOT NULL),
    CHECK ((text IS NULL) = (created_at IS NULL) AND (text IS NULL) = (answered_by IS NULL))
);
CREATE INDEX run_contents_by_user ON run_contents (user_id);
CREATE INDEX run_contents_by_job ON run_contents (job_id);

-- As it stands for people.
CREATE VIEW run_contents_now AS
SELECT c.workout_id, c.half, c.user_id, c.job_id, c.text, c.facts, c.answered_by, c.reason, c.model, c.usage, c.created_at,
    c.updated_at, CASE WHEN c.status = 'generating' AND (j.id IS NULL OR j.finished_at IS NOT NULL) THEN 'failed'
        ELSE c.status END AS status,
    CASE WHEN c.status = 'generating' THEN coalesce(j.error, c.error) ELSE c.error END AS error
FROM run_contents c LEFT JOIN jobs j ON j.id = c.job_id;

-- `key` is the Monday of a week, the two runs of a comparison, the day of the rest.
CREATE TABLE run_reviews (
    user_id text NOT NULL,
    about text NOT NULL CHECK (about IN ('week', 'comparison', 'trends', 'suggestion')),
    key text NOT NULL,
    text text NOT NULL,
    facts jsonb NOT NULL,
    answered_by text NOT NULL CHECK (answered_by IN ('anthropic', 'openai', 'offline')),
    reason text,
    model text,
    usage jsonb NOT NULL,
    job_id uuid REFERENCES jobs ON DELETE SET NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, about, key)
);
CREATE INDEX run_reviews_by_job ON run_reviews (job_id);

-- Between the steps of a job: what it writes from, and what it has written.
CREATE TABLE run_drafts (
    job_id uuid PRIMARY KEY REFERENCES jobs ON DELETE CASCADE,
    sheet jsonb NOT NULL,
    words jsonb
);

-- Jobs of many items ask for the turns of one.
CREATE INDEX spend_by_item ON spend (job_id, step, item);
DROP INDEX spend_by_job;

-- What the turns of one item, or of a step without items, took; unknown prices make an unknown sum.
CREATE FUNCTION spent_on(job uuid, of_step text, of_item text) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (
        SELECT jsonb_build_object('inputTokens', coalesce(sum(input_tokens), 0), 'outputTokens',
            coalesce(sum(output_tokens), 0),
            'costUsd', CASE WHEN coalesce(bool_and(cost_usd IS NOT NULL), true) THEN coalesce(sum(cost_usd), 0) END)
        FROM spend WHERE job_id = job AND step = of_step AND item = of_item);
END $$;
