INSERT INTO rows_elsewhere (job_id, kind, id)
SELECT j.id, f.kind, named.id
FROM unnest($1::text[], $2::text[], $3::text[]) AS f (job_kind, kind, field)
JOIN jobs j ON j.kind = f.job_kind
CROSS JOIN LATERAL (SELECT (j.payload ->> f.field)::uuid AS id) AS named
WHERE j.finished_at > now() - interval '1 hour' AND j.started_at IS NULL AND j.status <> 'completed'
    AND named.id IS NOT NULL
    -- not the ledger's own
    AND (EXISTS (SELECT FROM rows_elsewhere o WHERE o.kind = f.kind AND o.id = named.id AND o.taken)
        OR NOT EXISTS (SELECT FROM postings WHERE id = named.id UNION ALL SELECT FROM interviews WHERE id = named.id))
    -- a later job says how it stands
    AND NOT EXISTS (SELECT FROM jobs later WHERE later.kind = j.kind AND later.created_at > j.created_at
        AND later.payload ->> f.field = j.payload ->> f.field)
ON CONFLICT (job_id) DO NOTHING
