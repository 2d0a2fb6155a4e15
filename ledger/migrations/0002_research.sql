-- Company research: the evidence of a job while it works, and the briefings an owner can look through.

CREATE TABLE research_evidence (
    job_id uuid NOT NULL REFERENCES jobs ON DELETE CASCADE,
    id text NOT NULL,
    step text NOT NULL,
    position integer NOT NULL,
    kind text NOT NULL CHECK (kind IN ('page', 'repository')),
    url text NOT NULL,
    title text NOT NULL,
    quote text NOT NULL,
    topic text NOT NULL,
    text_offset integer NOT NULL DEFAULT 0,
    technology text,
    PRIMARY KEY (job_id, id)
);

CREATE TABLE research_briefings (
    job_id uuid PRIMARY KEY REFERENCES jobs ON DELETE CASCADE,
    owner text NOT NULL,
    company text NOT NULL,
    role text NOT NULL,
    deep boolean NOT NULL,
    briefing jsonb NOT NULL,
    words tsvector NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX research_briefings_by_owner ON research_briefings (owner, created_at DESC);
CREATE INDEX research_briefings_words ON research_briefings USING gin (words);
