-- $1: the schedule as a JSON object, $2: the mark it had. Nothing is answered when it was changed or deleted since.
UPDATE schedules s SET
    kind = n.kind, payload = n.payload, options = n.options, cron = n.cron, timezone = n.timezone,
    overlap = n.overlap, catchup_window = n.catchup_window, jitter = n.jitter,
    deduplication_key = n.deduplication_key, mark = n.mark, paused = n.paused, note = n.note,
    engine_digest = n.engine_digest, next_run_at = n.next_run_at, updated_at = now()
FROM jsonb_populate_record(NULL::schedules, $1) n
WHERE s.id = n.id AND s.mark = $2
RETURNING s.*
