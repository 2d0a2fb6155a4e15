-- $1 user, $2 metres, $3 before when, $4 how many: the runs of the closest distances.
SELECT id::text, name, started_at, is_run, figures::text FROM (
    (SELECT id, name, started_at, is_run, figures, distance_meters FROM workouts
    WHERE user_id = $1 AND is_run AND distance_meters >= $2 AND started_at < $3
    ORDER BY distance_meters LIMIT $4)
    UNION ALL
    (SELECT id, name, started_at, is_run, figures, distance_meters FROM workouts
    WHERE user_id = $1 AND is_run AND distance_meters < $2 AND started_at < $3
    ORDER BY distance_meters DESC LIMIT $4)
) around ORDER BY abs(distance_meters - $2) LIMIT $4
