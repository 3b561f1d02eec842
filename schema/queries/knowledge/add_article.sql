-- Add an article to the transaction's tenant. Takes slug, title, keywords, unanswered, updated_on, content_hash, and
-- headings, bodies and asked: three equally long arrays, in the order published. unanswered and asked: one phrasing a line.
WITH added AS (
    INSERT INTO article (tenant_id, slug, title, keywords, unanswered, updated_on, content_hash)
    VALUES (current_setting('fte.tenant'), %(slug)s, %(title)s, %(keywords)s, %(unanswered)s, %(updated_on)s, %(content_hash)s)
    RETURNING tenant_id, slug
)
INSERT INTO article_section (tenant_id, slug, section_number, heading, body, asked)
SELECT added.tenant_id, added.slug, section.number, section.heading, section.body, section.asked
FROM added, unnest(%(headings)s::text[], %(bodies)s::text[], %(asked)s::text[])
    WITH ORDINALITY AS section (heading, body, asked, number)
