-- $1 user, $2 runs, $3 how many: of each, the runs before it whose distances are closest to its own.
SELECT r.id AS run, n.*
FROM workouts r, LATERAL (
    SELECT * FROM (
        (SELECT id, name, started_at, is_run, figures, distance_meters FROM workouts
        WHERE user_id = $1 AND is_run AND distance_meters >= r.distance_meters AND started_at < r.started_at
        ORDER BY distance_meters LIMIT $3)
        UNION ALL
        (SELECT id, name, started_at, is_run, figures, distance_meters FROM workouts
        WHERE user_id = $1 AND is_run AND distance_meters < r.distance_meters AND started_at < r.started_at
        ORDER BY distance_meters DESC LIMIT $3)
    ) around ORDER BY abs(distance_meters - r.distance_meters) LIMIT $3
) n
WHERE r.id = ANY($2) AND r.distance_meters IS NOT NULL
