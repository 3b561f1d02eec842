-- List the articles of the transaction's tenant. Returns slug and content_hash of each.
SELECT slug, content_hash FROM article WHERE tenant_id = current_setting('fte.tenant')
