-- Items that are offered again after a failure, and what vendors let us ask in a minute.

-- `attempts`: the vendor's failures so far. `waited_seconds`: what it had us wait without counting one. `due_at`: not
-- before then; NULL: at once. The reason of the last failure stands in `outcome`.
ALTER TABLE job_items
    ADD COLUMN attempts smallint NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    ADD COLUMN waited_seconds double precision NOT NULL DEFAULT 0,
    ADD COLUMN due_at timestamptz;
