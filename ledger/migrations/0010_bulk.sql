-- Work on many things inside one job, and cancels that are not obeyed.

-- How far a job is with its items: {"done", "failed", "skipped", "total"}; NULL: it has none.
ALTER TABLE jobs ADD COLUMN items jsonb;

CREATE TABLE job_items (
    job_id uuid NOT NULL REFERENCES jobs ON DELETE CASCADE,
    position integer NOT NULL CHECK (position > 0),
    item jsonb NOT NULL,
    status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'done', 'failed', 'skipped')),
    outcome jsonb,
    finished_at timestamptz,
    PRIMARY KEY (job_id, position),
    CHECK ((status = 'pending') = (finished_at IS NULL))
);
CREATE INDEX job_items_pending ON job_items (job_id, position) WHERE status = 'pending';

CREATE INDEX jobs_canceling ON jobs (cancel_requested_at)
    WHERE cancel_requested_at IS NOT NULL AND status IN ('queued', 'delayed', 'running');
CREATE INDEX jobs_children_open ON jobs (parent_id)
    WHERE parent_id IS NOT NULL AND cancel_requested_at IS NULL AND status IN ('queued', 'delayed', 'running');
