-- What was listened to is paid by the second of sound.

ALTER TABLE spend ADD COLUMN audio_seconds double precision NOT NULL DEFAULT 0 CHECK (audio_seconds >= 0);
ALTER TABLE jobs ADD COLUMN spent_audio_seconds double precision NOT NULL DEFAULT 0;

-- It has a price and no tokens.
DROP TRIGGER jobs_keep_late_spend ON jobs;
CREATE TRIGGER jobs_keep_late_spend AFTER UPDATE OF spent_tokens ON jobs FOR EACH ROW
    WHEN (OLD.finished_at IS NOT NULL
        AND (OLD.spent_tokens, OLD.spent_usd) IS DISTINCT FROM (NEW.spent_tokens, NEW.spent_usd))
    EXECUTE FUNCTION keep_late_spend();

-- What a vendor that was asked to call back has said, until the job that waits for it has read it.
CREATE TABLE speech_callbacks (
    waitpoint_id uuid PRIMARY KEY REFERENCES waitpoints ON DELETE CASCADE,
    job_id uuid NOT NULL REFERENCES jobs ON DELETE CASCADE,
    body bytea NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX speech_callbacks_by_job ON speech_callbacks (job_id);
