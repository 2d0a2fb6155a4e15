-- What people look at costs a few lookups a job, however many jobs there are.

-- The same answer as before, without a query for a job that was heard of lately.
CREATE OR REPLACE FUNCTION silent_step(uuid, jsonb, timestamptz) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
    job CONSTANT uuid := $1;
    silence CONSTANT double precision := extract(epoch FROM now() - $3);
    step text;
    attempt integer;
    allowed integer;
BEGIN
    IF silence <= 900
        AND NOT jsonb_path_exists($2, '$[*].maxSeconds ? (@ < $silence)', jsonb_build_object('silence', silence))
    THEN
        RETURN NULL;
    END IF;
    SELECT s.name, s.failures + 1,
        jsonb_path_query_first($2, '$[*] ? (@.name == $name).maxSeconds', jsonb_build_object('name', s.name))::integer
    INTO step, attempt, allowed
    FROM job_steps s WHERE s.job_id = job AND s.status IN ('running', 'retrying') ORDER BY 3 LIMIT 1;
    IF NOT FOUND THEN
        SELECT planned ->> 'name', 0, (planned ->> 'maxSeconds')::integer INTO step, attempt, allowed
        FROM jsonb_array_elements($2) WITH ORDINALITY listed (planned, place)
        WHERE NOT EXISTS (SELECT FROM job_steps s WHERE s.job_id = job AND s.name = planned ->> 'name')
        ORDER BY place LIMIT 1;
    END IF;
    IF silence <= coalesce(allowed, 900)
        OR EXISTS (SELECT FROM jobs c WHERE c.parent_id = job AND c.status IN ('queued', 'delayed', 'running'))
        OR EXISTS (SELECT FROM waitpoints w WHERE w.job_id = job AND w.status = 'waiting' AND w.expires_at > now())
    THEN
        RETURN NULL;
    END IF;
    RETURN jsonb_build_object('step', step, 'attempt', coalesce(attempt, 0), 'since', $3);
END $$;

-- Asked for where jobs are read, without a call for each of them.
DROP FUNCTION usage_of(uuid);

-- What went wrong is rare; an owner's part of it was picked from all that went wrong, or from all that the owner has.
CREATE INDEX jobs_unsuccessful_by_owner ON jobs (owner, created_at DESC, id DESC)
    WHERE status IN ('failed', 'timed_out', 'expired', 'canceled');

-- Figures of days that are over stand in the index itself: an owner's are spread over as many pages as there were days.
ALTER TABLE stats_counts DROP CONSTRAINT stats_counts_pkey,
    ADD PRIMARY KEY (everyone, owner, day, kind) INCLUDE (completed, failed, canceled, expired, timed_out, tokens, usd),
    SET (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_insert_scale_factor = 0.01);
ALTER TABLE stats_durations DROP CONSTRAINT stats_durations_pkey,
    ADD PRIMARY KEY (everyone, owner, day, kind, bucket) INCLUDE (jobs),
    SET (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_insert_scale_factor = 0.01);
