-- What the airline publishes: articles, cut into sections that a reply can cite.
--
-- No GIN index on the words: a search weighs each word by how many articles have it, so it reads them all, and under
-- row-level security PostgreSQL would not use the index anyway (`@@` is not leakproof). A tenant's 130 sections take
-- 2 ms, 1,300 take 22.

CREATE TABLE article (
    tenant_id text NOT NULL REFERENCES tenant,
    slug text NOT NULL CONSTRAINT article_slug_is_plain CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
    title text NOT NULL,
    keywords text NOT NULL DEFAULT '',           -- other words customers use for it
    updated_on date NOT NULL,
    content_hash text NOT NULL,                  -- of the file it came from: an import skips what has not changed
    imported_at timestamptz NOT NULL DEFAULT now(),
    search tsvector NOT NULL GENERATED ALWAYS AS (
        setweight(to_tsvector('english', title), 'A') || setweight(to_tsvector('english', keywords), 'B')) STORED,
    PRIMARY KEY (tenant_id, slug)
);

CREATE TABLE article_section (
    tenant_id text NOT NULL,
    slug text NOT NULL,
    section_number smallint NOT NULL,            -- 1, 2 … as published
    heading text NOT NULL,
    body text NOT NULL,
    search tsvector NOT NULL GENERATED ALWAYS AS (
        setweight(to_tsvector('english', heading), 'C') || setweight(to_tsvector('english', body), 'D')) STORED,
    PRIMARY KEY (tenant_id, slug, section_number),
    FOREIGN KEY (tenant_id, slug) REFERENCES article ON DELETE CASCADE
);

DO $$
DECLARE
    v_table text;
BEGIN
    FOREACH v_table IN ARRAY ARRAY['article', 'article_section']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', v_table);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', v_table);
        EXECUTE format($policy$CREATE POLICY tenant_only ON %I
            USING (tenant_id = current_setting('fte.tenant', true) OR current_setting('fte.tenant', true) = '*')$policy$, v_table);
    END LOOP;
END $$;
