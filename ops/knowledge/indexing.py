"""Index articles as a worker does, straight from their files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.models.word_vectors import load_word_vectors
from worker.store.article_index import ArticleIndex, ArticleSection

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ops.knowledge.articles import Article


def sections_of(articles: Sequence[Article]) -> list[ArticleSection]:
    """Give the articles' sections in the order published."""
    return [
        ArticleSection(
            slug=article.slug,
            number=number,
            title=article.title,
            heading=heading,
            body=body,
            keywords=article.keywords,
            asked=article.asked.get(heading, ()),
        )
        for article in articles
        for number, (heading, body) in enumerate(article.sections, 1)
    ]


def index_articles(articles: Sequence[Article]) -> ArticleIndex:
    """Build the index that a search of these articles would use."""
    unanswered = [question for article in articles for question in article.unanswered]
    return ArticleIndex(sections_of(articles), unanswered, load_word_vectors())
