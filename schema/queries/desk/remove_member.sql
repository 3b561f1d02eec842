-- Take a person off a tenant's desk. Takes tenant, person. Returns the role that the person had, or no row.
DELETE FROM desk_member WHERE tenant_id = %(tenant)s AND person = %(person)s RETURNING role
