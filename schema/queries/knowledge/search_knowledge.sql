-- Find the sections of articles that answer a question. Takes question, words_max, passages_max.
-- Returns passages of the transaction's tenant, best first. Each word of the question weighs as much as it is rare among
-- the articles; `rank` adds up the weights of the words found, each by how telling its place is (title, keyword, heading,
-- body), and falls with the part of the question that was not found. The caller says which rank is enough.
WITH word AS MATERIALIZED (
    SELECT ('''' || replace(replace(lexeme, '\', '\\'), '''', '''''') || '''')::tsquery AS query
    FROM unnest(to_tsvector('english', %(question)s)) ORDER BY positions LIMIT %(words_max)s
), section AS MATERIALIZED (
    SELECT s.slug, s.section_number, a.title, s.heading, s.body, a.search || s.search AS search
    FROM article a JOIN article_section s USING (tenant_id, slug)
    WHERE a.tenant_id = current_setting('fte.tenant')
), hit AS MATERIALIZED (
    SELECT word.query, section.slug, section.section_number,
        ts_rank('{0.25, 0.5, 0.7, 1.0}', section.search, word.query) AS closeness
    FROM section JOIN word ON section.search @@ word.query
), weighed AS MATERIALIZED (
    SELECT word.query, ln(1 + (SELECT count(DISTINCT slug) FROM section)::float8 / greatest(1, count(DISTINCT hit.slug))) AS weight
    FROM word LEFT JOIN hit USING (query) GROUP BY word.query
), ranked AS (
    SELECT hit.slug, hit.section_number,
        sum(weighed.weight * hit.closeness) * sqrt(sum(weighed.weight) / (SELECT sum(weight) FROM weighed)) AS rank
    FROM hit JOIN weighed USING (query) GROUP BY hit.slug, hit.section_number
)
SELECT section.slug, section.title, section.heading, section.body, ranked.rank
FROM ranked JOIN section USING (slug, section_number)
ORDER BY ranked.rank DESC, section.slug, section.section_number LIMIT %(passages_max)s
