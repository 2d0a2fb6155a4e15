-- $1 id, $2 tier, $3 timezone, $4 e-mail, $5 auto generate, $6 heart rate. No row while a user of that id is erased.
INSERT INTO users AS u (id, tier, timezone, email, auto_generate, heart_rate)
SELECT $1, $2, $3, $4, $5, $6 WHERE NOT EXISTS (SELECT FROM erasures WHERE user_id = $1)
ON CONFLICT (id) DO UPDATE SET tier = excluded.tier, timezone = excluded.timezone, email = excluded.email,
    auto_generate = excluded.auto_generate, heart_rate = excluded.heart_rate, updated_at = now()
RETURNING *, xmax = 0 AS is_new
