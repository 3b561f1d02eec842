-- Say which state the articles of the transaction's tenant are in. Returns state: another text after every import that
-- changed something; the same for all tenants without articles.
SELECT md5(coalesce(string_agg(slug || ' ' || content_hash || ' ' || imported_at, E'\n' ORDER BY slug), '')) AS state FROM article
WHERE tenant_id = current_setting('fte.tenant')
