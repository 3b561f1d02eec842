-- Find the sections of articles that answer a question. Takes question, words_max, passages_max.
-- Returns passages of the transaction's tenant, best first: each word of the question counts as much as it is rare among
-- the articles, and as much as its place is telling (title or keyword, heading, body). `rank` is that sum; the caller
-- says from which rank a passage is an answer.
WITH word AS MATERIALIZED (
    SELECT ('''' || replace(replace(lexeme, '\', '\\'), '''', '''''') || '''')::tsquery AS query
    FROM unnest(to_tsvector('english', %(question)s)) ORDER BY positions LIMIT %(words_max)s
), section AS MATERIALIZED (
    SELECT s.slug, s.section_number, a.title, s.heading, s.body, a.search || s.search AS search
    FROM article a JOIN article_section s USING (tenant_id, slug)
    WHERE a.tenant_id = current_setting('fte.tenant')
), hit AS MATERIALIZED (
    SELECT word.query, section.slug, section.section_number,
        ts_rank('{0.25, 0.4, 0.7, 1.0}', section.search, word.query) AS closeness
    FROM section JOIN word ON section.search @@ word.query
), rarity AS (
    SELECT hit.query, ln((1 + (SELECT count(DISTINCT slug) FROM section)) / count(DISTINCT hit.slug)::float8) AS weight
    FROM hit GROUP BY hit.query
), ranked AS (
    SELECT hit.slug, hit.section_number, sum(rarity.weight * hit.closeness) AS rank
    FROM hit JOIN rarity USING (query) GROUP BY hit.slug, hit.section_number
)
SELECT section.slug, section.title, section.heading, section.body, ranked.rank
FROM ranked JOIN section USING (slug, section_number)
ORDER BY ranked.rank DESC, section.slug, section.section_number LIMIT %(passages_max)s
