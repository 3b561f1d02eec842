-- Find what a person may do at a tenant's desk. Takes tenant, person. Returns the role, or no row for one who is not listed.
SELECT role FROM desk_member WHERE tenant_id = %(tenant)s AND person = %(person)s
