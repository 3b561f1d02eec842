-- Find the sections whose meaning is nearest to a question's. Takes model, embedding (real[], of that model), passages_max.
-- Returns passages of the transaction's tenant with their cosine similarity, nearest first, each with similarity_min (the least
-- that the tenant's own settings let pass; null: they name none). Needs pgvector.
SELECT s.slug, a.title, s.heading, s.body, (1 - (e.embedding::vector <=> %(embedding)s::real[]::vector))::float8 AS similarity,
    (SELECT (own.settings #>> '{knowledge,similarity_min}')::float8 FROM tenant_settings own
        WHERE own.tenant_id = current_setting('fte.tenant') ORDER BY own.version DESC LIMIT 1) AS similarity_min
FROM article_section s
JOIN article a USING (tenant_id, slug)
JOIN section_embedding e ON e.tenant_id = s.tenant_id AND e.model = %(model)s AND e.text_hash = s.text_hash
WHERE s.tenant_id = current_setting('fte.tenant') AND cardinality(e.embedding) = cardinality(%(embedding)s::real[])
ORDER BY similarity DESC, s.slug, s.section_number LIMIT %(passages_max)s
