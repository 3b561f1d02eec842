-- Find one account by its exact ids, before its tenant is proven. Takes tenant, account_id.
-- Returns of_channel, account_settings, sealed_secrets, sealed_old_secrets (null: none holds), sealed_door, stopped_because (null: it is
-- in service), tenant_suspended; no row for an unknown account.
SELECT of_channel, account_settings, sealed_secrets, sealed_old_secrets, sealed_door, stopped_because, tenant_suspended
FROM find_channel_account(%(tenant)s, %(account_id)s)
