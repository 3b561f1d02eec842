-- Add an article to the transaction's tenant. Takes slug, title, keywords, updated_on, content_hash, and headings and
-- bodies: two equally long arrays, in the order published.
WITH added AS (
    INSERT INTO article (tenant_id, slug, title, keywords, updated_on, content_hash)
    VALUES (current_setting('fte.tenant'), %(slug)s, %(title)s, %(keywords)s, %(updated_on)s, %(content_hash)s)
    RETURNING tenant_id, slug
)
INSERT INTO article_section (tenant_id, slug, section_number, heading, body)
SELECT added.tenant_id, added.slug, section.number, section.heading, section.body
FROM added, unnest(%(headings)s::text[], %(bodies)s::text[]) WITH ORDINALITY AS section (heading, body, number)
