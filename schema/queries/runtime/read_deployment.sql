-- Read what this database was set up with. Returns the newest migration and the fingerprint of the vault key.
SELECT (SELECT max(number) FROM migration) AS migration, (SELECT vault_fingerprint FROM deployment) AS vault_fingerprint
