-- $1 kind, $2 owner | key, $3 its name, $4 at most: the first lanes that this limit had parked are looked at again.
UPDATE lanes SET parked = NULL WHERE (kind, owner, key) IN (
    SELECT kind, owner, key FROM (
        (SELECT * FROM lanes WHERE parked = 'owner' AND kind = $1 AND owner = $3 AND $2 = 'owner'
        ORDER BY head_priority, head_rank LIMIT $4)
        UNION ALL
        (SELECT * FROM lanes WHERE parked = 'key' AND kind = $1 AND key = $3 AND $2 = 'key'
        ORDER BY head_priority, head_rank LIMIT $4)
    ) first)
RETURNING kind
