-- Get the proof of an account's tenant for the hash of the account's opened door secret. Takes tenant, account_id, door_hash.
-- Returns one row: proof (null: the hash is another's).
SELECT prove_channel_account(%(tenant)s, %(account_id)s, %(door_hash)s) AS proof
