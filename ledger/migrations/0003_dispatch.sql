-- What each turn of the dispatcher reads, however long the queue: jobs in somebody's hands, cancels on their way.

CREATE INDEX jobs_in_hand ON jobs (claimed_until)
    WHERE claimed_until IS NOT NULL AND parent_id IS NULL AND status IN ('queued', 'delayed', 'running');
CREATE INDEX jobs_cancels_due ON jobs (cancel_requested_at)
    WHERE cancel_requested_at IS NOT NULL AND cancel_sent_at IS NULL AND engine_started_at IS NOT NULL
        AND status IN ('queued', 'delayed', 'running');
