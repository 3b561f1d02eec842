-- Remove an account with its routes and deliveries; suppressions stay. Takes tenant, account_id. Returns it; no row for an unknown one.
DELETE FROM channel_account WHERE tenant_id = %(tenant)s AND account_id = %(account_id)s RETURNING account_id
