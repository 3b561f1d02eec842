-- List the airports of the transaction's tenant, by code. Takes nothing.
SELECT code, city FROM airport WHERE tenant_id = current_setting('fte.tenant') ORDER BY code
