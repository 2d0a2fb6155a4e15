-- $1 document, $2 its chunks, in order.
INSERT INTO chunks (document, position, id, starts, ends, page, heading_path, table_header, text, digest, words, word_count)
SELECT $1, c.position, c.id, c.starts, c.ends, c.page, c.heading_path, c.table_header, c.text, c.digest, said.words,
    (SELECT coalesce(sum(cardinality(positions)), 0) FROM unnest(said.words))
FROM jsonb_to_recordset($2) AS c (position integer, id text, starts integer, ends integer, page integer,
    heading_path text[], table_header text, text text, digest text)
CROSS JOIN LATERAL (
    SELECT to_tsvector('english', concat_ws(E'\n', nullif(array_to_string(c.heading_path, ' > '), ''), c.table_header,
        c.text)) AS words
    OFFSET 0
) AS said
