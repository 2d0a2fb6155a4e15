SELECT d.id AS document_id, d.filename, c.id AS chunk_id, c.text, c.page, c.heading_path, c.table_header, c.starts, c.ends,
    best.score,
    ts_headline('english', translate(c.text, chr(2) || chr(3), ''), coalesce((SELECT words FROM sought), ''),
        format('StartSel=%s,StopSel=%s,MinWords=20,MaxWords=40', chr(2), chr(3))) AS highlight
FROM best JOIN chunks c USING (document, position) JOIN documents d ON d.key = best.document
ORDER BY best.score DESC, best.document, best.position
