WITH copied AS (
    INSERT INTO postings (id, user_id, url, url_key, given, details, processing_status, job_id)
    SELECT $2, $3, $4, $5, $6, '{}', 'processing', id FROM jobs WHERE id = $1 AND owner IN ('', $3)
    ON CONFLICT (id) DO UPDATE SET user_id = excluded.user_id, url = excluded.url, url_key = excluded.url_key,
        given = excluded.given, updated_at = now()
    RETURNING id
)
UPDATE rows_elsewhere e SET taken = true FROM copied WHERE e.job_id = $1 RETURNING e.id
