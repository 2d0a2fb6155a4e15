-- :owner, :project, :tag (both may be NULL): whose chunks; :question. The beginning of a statement: `by_words` are the
-- chunks in which a word of the question occurs, with their score by Okapi BM25 (Robertson and Zaragoza 2009), where a
-- word is a lexeme, k1 = 1.2, b = 0.75, and what is counted over all chunks is counted over those of the scope.
WITH scope AS MATERIALIZED (
    SELECT key, chunk_count, word_count FROM documents
    WHERE owner = :owner AND chunk_count > 0 AND (:project::text IS NULL OR project_id = :project)
        AND (:tag::text IS NULL OR :tag = ANY(tags))
), asked AS MATERIALIZED (
    SELECT row_number() OVER () AS n,
        ('''' || replace(replace(lexeme, '\', '\\'), '''', '''''') || '''')::tsquery AS word
    FROM unnest(to_tsvector('english', :question))
), sought AS MATERIALIZED (
    SELECT string_agg(word::text, ' | ')::tsquery AS words FROM asked
), totals AS MATERIALIZED (
    SELECT sum(chunk_count)::double precision AS chunks, sum(word_count)::double precision / sum(chunk_count) AS length
    FROM scope
), ranks AS MATERIALIZED (
    -- what ts_rank answers for one word that occurs n times: by its order among these, n is read back from it, much
    -- faster than positions are unnested
    SELECT array_agg((sum - 1e-5)::real ORDER BY n) AS of_count FROM (
        SELECT n, sum(1.0 / (n * n)) OVER (ORDER BY n) / 1.64493406685 AS sum FROM generate_series(1, 255) AS n) AS sums
), occurrences AS MATERIALIZED (
    SELECT c.document, c.position, c.word_count, said.n, said.times
    FROM chunks c JOIN scope ON scope.key = c.document
    -- unpacked once a chunk, not for each word
    CROSS JOIN LATERAL (SELECT c.words || '' AS words OFFSET 0) AS own
    CROSS JOIN LATERAL (
        SELECT n, width_bucket(ts_rank('{1,1,1,1}', own.words, word), (SELECT of_count FROM ranks)) AS times FROM asked
        OFFSET 0
    ) AS said
    WHERE c.words @@ (SELECT words FROM sought) AND said.times > 0
), weights AS (
    SELECT n, ln(1 + (chunks - count(*) + 0.5) / (count(*) + 0.5)) AS weight
    FROM occurrences, totals GROUP BY n, chunks
), by_words AS (
    SELECT document, position,
        sum(weight * times * 2.2 / (times + 1.2 * (0.25 + 0.75 * word_count / length))) AS score
    FROM occurrences JOIN weights USING (n), totals
    GROUP BY document, position
), best AS (
