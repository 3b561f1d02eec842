-- Note that resolutions were taken up. Takes tenants and conversations (arrays of the same length).
UPDATE resolution r SET taken_up_at = clock_timestamp()
FROM unnest(%(tenants)s::text[], %(conversations)s::text[]) AS done (tenant_id, conversation_id)
JOIN conversation c USING (tenant_id, conversation_id)
WHERE r.tenant_id = done.tenant_id AND r.conversation_id = done.conversation_id AND r.taken_up_at IS NULL
    AND EXISTS (SELECT FROM episode e
        WHERE e.tenant_id = r.tenant_id AND e.conversation_id = r.conversation_id
            AND e.last_position >= r.position)
