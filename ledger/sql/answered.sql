-- $1 … $5: calls by their job, step, item, turn and prompt hash, an array each. The usable answers paid for, by the
-- place of their call.
SELECT asked.place, paid.vendor, paid.model, paid.answer
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::integer[], $5::text[])
    WITH ORDINALITY AS asked (job_id, step, item, turn, prompt_hash, place),
LATERAL (
    SELECT vendor, model, answer FROM spend s
    WHERE s.job_id = asked.job_id AND s.step = asked.step AND s.item = asked.item AND s.turn = asked.turn
        AND s.prompt_hash = asked.prompt_hash AND s.answer IS NOT NULL
    ORDER BY s.at DESC LIMIT 1
) paid
