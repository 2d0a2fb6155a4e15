-- An owner's feed reads what has been committed since, by transaction. The index takes 70 bytes of WAL an event.

CREATE INDEX job_events_by_tx ON job_events (tx);
