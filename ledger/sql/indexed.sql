-- $1 document, whose chunks stand; $2 type, $3 title, $4 pages, $5 chunk size, $6 overlap, $7 notes; $8 project and
-- $9 tags, where they are said anew.
UPDATE documents SET status = 'indexed', error = NULL, processed_by = NULL, updated_at = now(), file_type = $2,
    title = $3, pages = $4, chunk_size = $5, overlap = $6, notes = $7, project_id = coalesce($8, project_id),
    tags = CASE WHEN cardinality($9::text[]) > 0 THEN $9 ELSE tags END,
    (chunk_count, word_count) = (SELECT count(*), coalesce(sum(c.word_count), 0) FROM chunks c WHERE document = key)
WHERE key = $1
