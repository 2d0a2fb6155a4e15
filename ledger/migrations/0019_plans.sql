-- What the steps of plans were given and brought, a row an attempt. `call` is '' for a step's own work; `2.0` is the
-- first tool that its model asked for in its second turn.
CREATE TABLE plan_calls (
    job_id uuid NOT NULL REFERENCES jobs ON DELETE CASCADE,
    step text NOT NULL,
    call text NOT NULL DEFAULT '',
    attempt integer NOT NULL CHECK (attempt > 0),
    -- asked: a model wants it, nobody has begun. lost: whoever began died, and what became of it is not known
    status text NOT NULL CHECK (status IN ('asked', 'begun', 'done', 'failed', 'lost')),
    tool text,
    input jsonb,
    output jsonb CHECK (output IS NULL OR status = 'done'),
    error jsonb,
    answered_by text,
    began_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz,
    PRIMARY KEY (job_id, step, call, attempt),
    CHECK ((status IN ('done', 'failed', 'lost')) = (ended_at IS NOT NULL))
);

CREATE OR REPLACE VIEW workflow_steps AS
SELECT j.id AS execution_id, planned.place::integer - 1 AS step_index, planned.step ->> 'name' AS name,
    coalesce(s.status, CASE WHEN j.finished_at IS NULL THEN 'pending' ELSE 'skipped' END) AS status,
    coalesce(s.failures + (s.status <> 'failed')::integer, 0) AS attempt,
    (planned.step ->> 'maxAttempts')::integer AS max_attempts,
    CASE WHEN asked.step IS NULL THEN s.output ELSE coalesce(done.output, s.output -> 'output') END AS output,
    s.error, coalesce(least(tried.began_at, s.started_at), s.started_at) AS started_at, s.finished_at AS completed_at,
    asked.step ->> 'description' AS description,
    CASE WHEN (asked.step ->> 'external')::boolean THEN 'external' ELSE asked.step ->> 'tool' END AS tool,
    coalesce(tried.input, asked.step -> 'input') AS input, done.answered_by,
    coalesce(paid.input_tokens, 0) AS input_tokens, coalesce(paid.output_tokens, 0) AS output_tokens, paid.cost_usd
FROM jobs j
CROSS JOIN LATERAL jsonb_array_elements(j.plan) WITH ORDINALITY AS planned (step, place)
LEFT JOIN LATERAL (
    SELECT j.payload #> ARRAY['steps', (planned.place - 1)::text] AS step WHERE j.kind = 'workflow-execution'
) asked ON true
LEFT JOIN LATERAL (
    SELECT * FROM job_steps w
    WHERE w.job_id = j.id AND w.name = planned.step ->> 'name' AND w.activity_id NOT LIKE '%#otherwise'
    ORDER BY w.scheduled_at DESC LIMIT 1
) s ON true
LEFT JOIN LATERAL (
    SELECT c.output, c.answered_by FROM plan_calls c
    WHERE c.job_id = j.id AND c.step = planned.step ->> 'name' AND c.call = '' AND c.status = 'done'
    ORDER BY c.attempt DESC LIMIT 1
) done ON s.status = 'completed'
LEFT JOIN LATERAL (
    SELECT min(c.began_at) AS began_at,
        (array_agg(c.input ORDER BY c.attempt DESC) FILTER (WHERE c.call = ''))[1] AS input
    FROM plan_calls c WHERE c.job_id = j.id AND c.step = planned.step ->> 'name'
) tried ON true
LEFT JOIN LATERAL (
    SELECT sum(p.input_tokens) AS input_tokens, sum(p.output_tokens) AS output_tokens,
        CASE WHEN bool_and(p.cost_usd IS NOT NULL) THEN sum(p.cost_usd) END AS cost_usd
    FROM spend p WHERE p.job_id = j.id AND p.step = planned.step ->> 'name'
) paid ON true;
