-- Job postings (on the wire: job positions): what a user gave, and what was found of it.

CREATE TABLE postings (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id text NOT NULL CHECK (length(user_id) BETWEEN 1 AND 256),
    url text,
    -- one name for all spellings of an address
    url_key text CHECK (url_key ~ '^[0-9a-f]{64}$'),
    -- the text as it was pasted
    given text,
    -- of the quick reading at the door, then of the job
    details jsonb NOT NULL CHECK (jsonb_typeof(details) = 'object'),
    processing_status text NOT NULL DEFAULT 'pending'
        CHECK (processing_status IN ('pending', 'processing', 'completed')),
    -- of the job that was at it last; one that ended otherwise than by completing the row has failed
    job_id uuid REFERENCES jobs ON DELETE SET NULL,
    answered_by text CHECK (answered_by IN ('anthropic', 'openai', 'offline')),
    reason text,
    model text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (user_id, url_key),
    CHECK ((url IS NULL) = (url_key IS NULL) AND (url IS NULL) <> (given IS NULL)),
    CHECK (processing_status <> 'completed' OR answered_by IS NOT NULL)
);
CREATE INDEX postings_by_user ON postings (user_id, created_at DESC, id DESC);
CREATE INDEX postings_by_job ON postings (job_id);
CREATE INDEX postings_without_job ON postings (created_at) WHERE job_id IS NULL AND processing_status = 'pending';

-- As it stands for people.
CREATE VIEW postings_now AS
SELECT p.id, p.user_id, p.url, p.given, p.details, p.job_id, p.answered_by, p.reason, p.model, p.created_at, p.updated_at,
    CASE WHEN lost.so THEN 'failed' ELSE p.processing_status END AS processing_status,
    CASE WHEN lost.so THEN coalesce(j.error, jsonb_build_object('code', coalesce(j.status, 'job_gone'), 'message',
        coalesce('the job was ' || CASE WHEN j.status = 'canceled' THEN 'canceled' END, 'the job ended without a result')))
    END AS error
FROM postings p LEFT JOIN jobs j ON j.id = p.job_id, LATERAL (
    SELECT p.processing_status <> 'completed'
        AND (j.finished_at IS NOT NULL OR (j.id IS NULL AND p.processing_status = 'processing')) AS so) lost;

-- Between the steps of a job: what was read, and what a model said of it.
CREATE TABLE posting_drafts (
    job_id uuid PRIMARY KEY REFERENCES jobs ON DELETE CASCADE,
    posting_id uuid NOT NULL REFERENCES postings ON DELETE CASCADE,
    reading jsonb NOT NULL,
    said jsonb
);
CREATE INDEX posting_drafts_by_posting ON posting_drafts (posting_id);
