-- List the sections of the transaction's tenant as they are searched, by article and as published. Returns slug,
-- section_number, title, keywords (comma separated), unanswered, heading, body, asked; one phrasing a line.
SELECT s.slug, s.section_number, a.title, a.keywords, a.unanswered, s.heading, s.body, s.asked
FROM article_section s JOIN article a USING (tenant_id, slug)
WHERE s.tenant_id = current_setting('fte.tenant') ORDER BY s.slug, s.section_number
