-- :owner, :project, :tag (both may be NULL): whose chunks; :question; :most. The beginning of a statement: `by_words` are
-- chunks in which a word of the question occurs, with their score by Okapi BM25 (Robertson and Zaragoza 2009), where a
-- word is a lexeme, k1 = 1.2, b = 0.75, and what is counted over all chunks is counted over those of the scope.
--
-- Of up to :most chunks all are scored. Of more only such that the best are likely among: those with the rarest words,
-- and those with all words, of either :most at most, the newest first. How many hold a common word is then estimated.
WITH scope AS MATERIALIZED (
    SELECT key, chunk_count, word_count FROM documents
    WHERE owner = :owner AND chunk_count > 0 AND (:project::text IS NULL OR project_id = :project)
        AND (:tag::text IS NULL OR :tag = ANY(tags))
), totals AS MATERIALIZED (
    SELECT sum(chunk_count)::double precision AS chunks, sum(word_count)::double precision / sum(chunk_count) AS length,
        greatest(1, sum(chunk_count)::double precision / :most) AS stride
    FROM scope
), asked AS MATERIALIZED (
    SELECT row_number() OVER () AS n,
        ('''' || replace(replace(lexeme, '\', '\\'), '''', '''''') || '''')::tsquery AS word
    FROM unnest(to_tsvector('english', :question))
), sought AS MATERIALIZED (
    SELECT string_agg(word::text, ' | ')::tsquery AS words FROM asked
), sample AS MATERIALIZED (
    -- :most chunks, evenly from the first to the last; `|| ''`, here and below: unpacked once, not for each word
    SELECT own.words
    FROM (SELECT key, chunk_count, sum(chunk_count) OVER (ORDER BY key) - chunk_count AS before FROM scope) AS placed
    CROSS JOIN totals
    CROSS JOIN generate_series(ceil(before / stride)::bigint, ceil((before + chunk_count) / stride)::bigint - 1) AS turn
    CROSS JOIN LATERAL (
        SELECT c.words || '' AS words FROM chunks c
        WHERE c.document = key AND c.position = floor(turn * stride)::bigint - before + 1 LIMIT 1
    ) AS own
), hits AS MATERIALIZED (
    SELECT n, count(*) AS hits FROM asked JOIN sample ON sample.words @@ word GROUP BY n
), frequencies AS MATERIALIZED (
    -- too few hits say too little, and then there are few enough to be counted
    SELECT n, word, CASE WHEN stride = 1 OR hits >= 20 THEN coalesce(hits, 0) * stride
        ELSE (SELECT count(*) FROM chunks c JOIN scope ON key = document WHERE c.words @@ word) END AS held
    FROM asked LEFT JOIN hits USING (n) CROSS JOIN totals
), weights AS MATERIALIZED (
    SELECT n, word, held, ln(1 + (chunks - held + 0.5) / (held + 0.5)) AS weight
    FROM frequencies CROSS JOIN totals WHERE held > 0
), rarest AS MATERIALIZED (
    SELECT string_agg(word::text, ' | ')::tsquery AS words FROM (
        SELECT word, sum(held) OVER sorted AS so_far, row_number() OVER sorted AS turn FROM weights
        WINDOW sorted AS (ORDER BY held, n)
    ) AS sorted CROSS JOIN totals
    WHERE so_far <= :most OR turn = 1 OR chunks <= :most
), candidates AS MATERIALIZED (
    (SELECT document, position FROM chunks c JOIN scope ON key = document
    WHERE c.words @@ (SELECT words FROM rarest) ORDER BY document DESC, position LIMIT :most)
    UNION
    (SELECT document, position FROM chunks c JOIN scope ON key = document
    WHERE c.words @@ (SELECT string_agg(word::text, ' & ')::tsquery FROM weights)
    ORDER BY document DESC, position LIMIT :most)
), ranks AS MATERIALIZED (
    -- what ts_rank answers for one word that occurs n times: by its order among these, n is read back from it, much
    -- faster than positions are unnested
    SELECT array_agg((sum - 1e-5)::real ORDER BY n) AS of_count FROM (
        SELECT n, sum(1.0 / (n * n)) OVER (ORDER BY n) / 1.64493406685 AS sum FROM generate_series(1, 255) AS n) AS sums
), by_words AS (
    SELECT document, position, (
        SELECT sum(weight * times * 2.2 / (times + 1.2 * (0.25 + 0.75 * c.word_count / length)))
        FROM (SELECT c.words || '' AS words OFFSET 0) AS own
        CROSS JOIN LATERAL (
            SELECT weight, width_bucket(ts_rank('{1,1,1,1}', own.words, word), (SELECT of_count FROM ranks)) AS times
            FROM weights OFFSET 0
        ) AS said
    ) AS score
    FROM candidates JOIN chunks c USING (document, position) CROSS JOIN totals
), best AS (
