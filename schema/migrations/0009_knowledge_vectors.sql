-- The meaning of sections, for a search that finds what is said in other words. Kept as real[], which every PostgreSQL
-- has; pgvector compares them (embedding::vector). An index would need one length for all models, and a tenant's few
-- thousand sections are compared in milliseconds without.
-- Expands only: no statement of the release before reads when an article was written.

-- Where pgvector is not installed, or this user may not add it, search goes by words alone; `fte kb embed` tries again.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_available_extensions WHERE name = 'vector') THEN
        CREATE EXTENSION IF NOT EXISTS vector;
    END IF;
EXCEPTION WHEN insufficient_privilege THEN
    RAISE NOTICE 'pgvector is available, and this user may not add it';
END $$;

ALTER TABLE article ALTER COLUMN updated_on DROP NOT NULL;  -- an article need not say when it was written

ALTER TABLE article_section ADD COLUMN text_hash text NOT NULL
    GENERATED ALWAYS AS (md5(heading || E'\n' || body)) STORED;

-- By the text, not by the section: an article imported again keeps the embeddings of what did not change.
CREATE TABLE section_embedding (
    tenant_id text NOT NULL REFERENCES tenant,
    model text NOT NULL,
    text_hash text NOT NULL,
    embedding real[] NOT NULL CONSTRAINT section_embedding_has_numbers CHECK (cardinality(embedding) > 0),
    PRIMARY KEY (tenant_id, model, text_hash)
);

ALTER TABLE section_embedding ENABLE ROW LEVEL SECURITY;
ALTER TABLE section_embedding FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON section_embedding
    USING (tenant_id = current_setting('fte.tenant', true) OR current_setting('fte.tenant', true) = '*');
