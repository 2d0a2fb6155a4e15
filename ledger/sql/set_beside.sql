-- $1 user, $2 runs, $3 how many, $4 since when, $5 before when. Of each of the runs: so many before it whose distances
-- are closest to its own. And of no run: those of that time.
SELECT NULL::text AS run, id::text, name, started_at, is_run, figures::text FROM workouts
WHERE user_id = $1 AND is_run AND started_at >= $4 AND started_at < $5
UNION ALL
SELECT r.id::text, n.id::text, n.name, n.started_at, n.is_run, n.figures::text
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
