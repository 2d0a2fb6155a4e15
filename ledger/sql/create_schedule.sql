-- $1: the schedule as a JSON object. Nothing is answered when the owner's deduplication key is taken.
INSERT INTO schedules (
    id, owner, kind, payload, options, cron, timezone, overlap, catchup_window, jitter, deduplication_key, mark, paused,
    note, engine_digest, next_run_at)
SELECT id, owner, kind, payload, options, cron, timezone, overlap, catchup_window, jitter, deduplication_key, mark,
    paused, note, engine_digest, next_run_at
FROM jsonb_populate_record(NULL::schedules, $1)
ON CONFLICT (owner, deduplication_key) WHERE deduplication_key IS NOT NULL DO NOTHING
RETURNING *
