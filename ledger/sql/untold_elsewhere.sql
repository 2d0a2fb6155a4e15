SELECT e.job_id, e.kind, e.id, e.taken, j.owner, j.status, j.error
FROM rows_elsewhere e JOIN jobs j ON j.id = e.job_id
WHERE NOT e.told AND e.tell_after <= now() AND j.finished_at > now() - interval '3 days'
    -- a later job says how it stands
    AND NOT EXISTS (SELECT FROM rows_elsewhere other JOIN jobs later ON later.id = other.job_id
        WHERE other.kind = e.kind AND other.id = e.id AND other.taken AND later.created_at > j.created_at)
ORDER BY e.tell_after LIMIT $1
