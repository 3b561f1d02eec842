-- Keep a text's embedding for the transaction's tenant. Takes model, text_hash, embedding.
INSERT INTO section_embedding (tenant_id, model, text_hash, embedding)
VALUES (current_setting('fte.tenant'), %(model)s, %(text_hash)s, %(embedding)s) ON CONFLICT DO NOTHING
