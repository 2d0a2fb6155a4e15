-- Jobs about rows of the product's own tables, and whether those were told how the job ended.
CREATE TABLE rows_elsewhere (
    job_id uuid PRIMARY KEY REFERENCES jobs ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('posting', 'interview')),
    id uuid NOT NULL,
    -- the job has put a copy into the ledger's table of that kind, under the same id
    taken boolean NOT NULL DEFAULT false,
    told boolean NOT NULL DEFAULT false,
    tell_after timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX rows_elsewhere_by_row ON rows_elsewhere (kind, id);
CREATE INDEX rows_elsewhere_untold ON rows_elsewhere (tell_after) WHERE NOT told;
