-- Remove the embeddings of the transaction's tenant whose text no article has any more.
DELETE FROM section_embedding e WHERE e.tenant_id = current_setting('fte.tenant') AND NOT EXISTS (
    SELECT FROM article_section s WHERE s.tenant_id = e.tenant_id AND s.text_hash = e.text_hash)
