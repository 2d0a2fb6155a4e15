-- Until when somebody follows the job: notices cost more than the writes they tell of, so only then they are sent.

ALTER TABLE jobs ADD COLUMN watched_until timestamptz;
