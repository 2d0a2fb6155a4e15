-- $1 user, $2 resting and $3 highest heart rate as the user gave them, $4 the highest seen, $5 version of the figures,
-- $6 how many: workouts whose figures were computed by an older version, or for zones that are drawn otherwise by now.
SELECT id FROM workouts
WHERE user_id = $1 AND (
    (facts ->> 'version')::integer < $5
    OR jsonb_typeof(facts -> 'zones') = 'object' AND (
        (runner ->> 'restingBpm')::double precision IS DISTINCT FROM $2::double precision
        OR (runner ->> 'maxBpm')::double precision IS DISTINCT FROM $3::double precision
        OR (facts -> 'zones' ->> 'estimated')::boolean
            AND (runner ->> 'highestSeenBpm')::double precision IS DISTINCT FROM $4::double precision
    )
)
ORDER BY started_at DESC LIMIT $6
