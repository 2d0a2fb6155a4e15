    SELECT document, position, score FROM by_words ORDER BY score DESC, document, position LIMIT :limit
)
