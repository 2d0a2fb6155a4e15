    -- reciprocal rank fusion (Cormack, Clarke and Büttcher 2009): 1 / (60 + rank), of the first of each
    SELECT document, position, sum(1 / (60.0 + rank))::double precision AS score FROM (
        (SELECT document, position, row_number() OVER (ORDER BY score DESC, document, position) AS rank
        FROM by_words ORDER BY rank LIMIT :deep)
        UNION ALL
        SELECT document, position, row_number() OVER (ORDER BY distance, document, position) AS rank FROM (
            SELECT c.document, c.position, v.vector OPERATOR("extensions".<=>) :vector::text::"extensions".vector AS distance
            FROM scope JOIN chunk_vectors v ON v.document = scope.key AND v.model = :model
            JOIN chunks c ON c.document = v.document AND c.digest = v.digest
            ORDER BY distance LIMIT :deep
        ) AS nearest
    ) AS ranked
    GROUP BY document, position ORDER BY score DESC, document, position LIMIT :limit
)
