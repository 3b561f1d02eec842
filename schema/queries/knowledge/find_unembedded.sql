-- Find the texts of the transaction's tenant that have no embedding of a model yet. Takes model, texts_max.
-- Returns text_hash, and title, heading and body of one section with that text.
SELECT DISTINCT ON (s.text_hash) s.text_hash, a.title, s.heading, s.body
FROM article_section s JOIN article a USING (tenant_id, slug)
WHERE s.tenant_id = current_setting('fte.tenant') AND NOT EXISTS (
    SELECT FROM section_embedding e
    WHERE e.tenant_id = s.tenant_id AND e.model = %(model)s AND e.text_hash = s.text_hash)
ORDER BY s.text_hash LIMIT %(texts_max)s
