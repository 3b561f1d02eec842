-- List the people of a tenant's desk by name. Takes tenant.
SELECT person, role, set_by, set_at FROM desk_member WHERE tenant_id = %(tenant)s ORDER BY person
