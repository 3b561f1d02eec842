-- List a person of a tenant's desk under a role, or change it. Takes tenant, person, role, set_by.
-- Returns the role that the person had before, or null.
WITH was AS (SELECT role FROM desk_member WHERE tenant_id = %(tenant)s AND person = %(person)s),
    made AS (INSERT INTO desk_member (tenant_id, person, role, set_by)
        VALUES (%(tenant)s, %(person)s, %(role)s, %(set_by)s)
        ON CONFLICT (tenant_id, person) DO UPDATE
            SET role = excluded.role, set_by = excluded.set_by, set_at = clock_timestamp()
        RETURNING person)
SELECT (SELECT role FROM was) AS role_before FROM made
