-- List the articles of the transaction's tenant, by slug. Returns slug, title, updated_on, content_hash and how many
-- sections each has.
SELECT slug, title, updated_on, content_hash, (SELECT count(*) FROM article_section s
    WHERE s.tenant_id = a.tenant_id AND s.slug = a.slug) AS sections
FROM article a WHERE tenant_id = current_setting('fte.tenant') ORDER BY slug
