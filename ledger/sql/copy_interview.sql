WITH copied AS (
    INSERT INTO interviews (id, user_id, source, posting_id, processing_status, job_id)
    SELECT $2, $3, $4, (SELECT id FROM postings WHERE id = $5 AND user_id = $3), 'processing', id
    FROM jobs WHERE id = $1 AND owner IN ('', $3)
    -- a recording from elsewhere takes the place of the one that was fetched
    ON CONFLICT (id) DO UPDATE SET user_id = excluded.user_id, posting_id = excluded.posting_id,
        source = excluded.source, updated_at = now(),
        audio = CASE WHEN interviews.source = excluded.source THEN interviews.audio END,
        audio_bytes = CASE WHEN interviews.source = excluded.source THEN interviews.audio_bytes END
    RETURNING id
)
UPDATE rows_elsewhere e SET taken = true FROM copied WHERE e.job_id = $1 RETURNING e.id
