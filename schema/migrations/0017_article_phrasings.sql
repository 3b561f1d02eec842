-- How customers ask for a section, and what they ask that no article answers: searched together with the articles.
-- One phrasing a line. Expands only: the release before reads neither column, and articles that it imports have none.

ALTER TABLE article ADD COLUMN unanswered text NOT NULL DEFAULT '';

ALTER TABLE article_section ADD COLUMN asked text NOT NULL DEFAULT '';
