-- Interviews (on the wire: timeline items): a recording, what was said in it, what came of it.

CREATE TABLE interviews (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id text NOT NULL CHECK (length(user_id) BETWEEN 1 AND 256),
    posting_id uuid REFERENCES postings ON DELETE SET NULL,
    -- from where the recording is to be fetched; NULL: it was uploaded
    source text CHECK (length(source) BETWEEN 1 AND 2000),
    -- what it is ({"container", "seconds"}), once it lies in the store under this row's id
    audio jsonb CHECK (jsonb_typeof(audio) = 'object'),
    audio_bytes bigint CHECK (audio_bytes > 0),
    transcript jsonb CHECK (jsonb_typeof(transcript) = 'object'),
    -- who told its questions apart
    parsed_by text CHECK (parsed_by IN ('anthropic', 'openai', 'offline')),
    analysis jsonb CHECK (jsonb_typeof(analysis) = 'object'),
    processing_status text NOT NULL DEFAULT 'pending'
        CHECK (processing_status IN ('pending', 'processing', 'completed')),
    -- of the job that was at it last; one that ended otherwise than by completing the row has failed
    job_id uuid REFERENCES jobs ON DELETE SET NULL,
    answered_by text CHECK (answered_by IN ('anthropic', 'openai', 'offline', 'mixed')),
    reason text,
    model text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((audio IS NULL) = (audio_bytes IS NULL)),
    CHECK (processing_status <> 'completed' OR answered_by IS NOT NULL)
);
CREATE INDEX interviews_by_user ON interviews (user_id, created_at DESC, id DESC);
CREATE INDEX interviews_by_job ON interviews (job_id);
CREATE INDEX interviews_by_posting ON interviews (posting_id);
CREATE INDEX interviews_without_job ON interviews (created_at) WHERE job_id IS NULL AND processing_status = 'pending';

-- Its questions in the order in which they were asked; how an answer is judged, by which job and by whom.
CREATE TABLE interview_questions (
    interview_id uuid NOT NULL REFERENCES interviews ON DELETE CASCADE,
    position integer NOT NULL CHECK (position > 0),
    question jsonb NOT NULL,
    judgement jsonb,
    judged_by text CHECK (judged_by IN ('anthropic', 'openai', 'offline')),
    model text,
    job_id uuid,
    PRIMARY KEY (interview_id, position)
);

-- Which jobs have been at it, and what the last of them has heard so far.
CREATE TABLE interview_jobs (
    job_id uuid PRIMARY KEY REFERENCES jobs ON DELETE CASCADE,
    interview_id uuid NOT NULL REFERENCES interviews ON DELETE CASCADE
);
CREATE INDEX interview_jobs_by_interview ON interview_jobs (interview_id);

CREATE TABLE interview_pieces (
    job_id uuid NOT NULL REFERENCES interview_jobs ON DELETE CASCADE,
    begins double precision NOT NULL,
    piece jsonb NOT NULL,
    PRIMARY KEY (job_id, begins)
);

-- Recordings whose row is gone, however it went: their files are to be deleted from the store.
CREATE TABLE recordings_gone (
    key text PRIMARY KEY,
    gone_at timestamptz NOT NULL DEFAULT now()
);
CREATE FUNCTION note_recording_gone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO recordings_gone (key) SELECT id::text FROM gone ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER interviews_gone AFTER DELETE ON interviews REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION note_recording_gone();

-- As it stands for people.
CREATE VIEW interviews_now AS
SELECT i.id, i.user_id, i.posting_id, i.source, i.audio, i.audio_bytes, i.transcript, i.analysis, i.job_id, i.answered_by,
    i.reason, i.model, i.created_at, i.updated_at,
    CASE WHEN lost.so THEN 'failed' ELSE i.processing_status END AS processing_status,
    CASE WHEN lost.so THEN coalesce(j.error, jsonb_build_object('code', coalesce(j.status, 'job_gone'), 'message',
        coalesce('the job was ' || CASE WHEN j.status = 'canceled' THEN 'canceled' END, 'the job ended without a result')))
    END AS error
FROM interviews i LEFT JOIN jobs j ON j.id = i.job_id, LATERAL (
    SELECT i.processing_status <> 'completed'
        AND (j.finished_at IS NOT NULL OR (j.id IS NULL AND i.processing_status = 'processing')) AS so) lost;
