-- $1 delivery, $2 its attempts before this one, $3 status code, $4 error, $5 milliseconds, $6 'delivered', 'failed' or
-- NULL (again), $7 seconds until then, $8 why the endpoint is disabled, $9 the address that was tried,
-- $10 seconds after the next attempt's time at which somebody looks whether the engine forgot it.
WITH delivery AS (
    UPDATE deliveries SET attempts = attempts + 1, tries = tries + 1, status = coalesce($6, 'pending'),
        finished_at = CASE WHEN $6::text IS NOT NULL THEN now() END,
        due_at = now() + make_interval(secs => $7::double precision),
        look_at = now() + make_interval(secs => $7 + $10::double precision)
    WHERE id = $1 AND attempts = $2 AND status = 'pending'
    RETURNING id, attempts, webhook_id
), logged AS (
    INSERT INTO delivery_attempts (delivery_id, number, status_code, error, duration_ms)
    SELECT id, attempts, $3, $4, $5 FROM delivery
)
UPDATE webhooks w SET status = 'disabled', disabled_reason = $8
FROM delivery WHERE w.id = delivery.webhook_id AND $8::text IS NOT NULL AND w.status = 'active' AND w.url = $9
