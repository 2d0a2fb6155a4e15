-- $1 user, $2 how many (NULL: all), $3 whether to write anew: what an ingest would have to do.
WITH chosen AS (
    SELECT (SELECT count(*) FROM run_contents c WHERE c.workout_id = w.id AND c.half = 'letter' AND c.text IS NOT NULL
            AND NOT $3::boolean) AS letter,
        (SELECT count(*) FROM run_contents c WHERE c.workout_id = w.id AND c.half = 'insight' AND c.text IS NOT NULL
            AND NOT $3::boolean) AS insight
    FROM workouts w WHERE user_id = $1 AND is_run ORDER BY started_at DESC LIMIT $2
), lately AS (
    SELECT extract(epoch FROM j.finished_at - j.started_at) / (j.items ->> 'done')::integer AS seconds_a_run
    FROM jobs j WHERE j.owner = $1 AND j.kind = 'batch-ingest-run-history' AND j.status = 'completed'
        AND (j.items ->> 'done')::integer > 0
    ORDER BY j.created_at DESC LIMIT 1
)
SELECT count(*) FILTER (WHERE letter + insight < 2) AS runs, count(*) - sum(letter)::bigint AS letter,
    count(*) - sum(insight)::bigint AS insight, (SELECT seconds_a_run FROM lately)::double precision AS seconds_a_run,
    (SELECT jsonb_object_agg(half, used) FROM (
        SELECT half, jsonb_build_object('inputTokens', round(avg((usage ->> 'inputTokens')::bigint)),
            'outputTokens', round(avg((usage ->> 'outputTokens')::bigint))) AS used
        FROM run_contents WHERE user_id = $1 AND text IS NOT NULL AND (usage ->> 'outputTokens')::bigint > 0
        GROUP BY half
    ) own) AS averages
FROM chosen
