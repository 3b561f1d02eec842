"""Check articles as their editor would: what customers ask for and cannot find, and what would be found by mistake."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from ops.knowledge.indexing import sections_of
from worker.models.word_vectors import load_word_vectors
from worker.store.article_words import STOP_WORDS, clean, stem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ops.knowledge.articles import Article
    from worker.store.article_index import ArticleSection

PHRASINGS_MIN = 8
"""Phrasings from which a section is found by most of what customers ask for it (docs/knowledge.md)."""

ALIKE_MIN = 0.95
"""Cosine from which two phrasings say the same, so that sections which both claim them collide."""

_BATCH = 512
"""Phrasings that are compared with all others at once: 13,000 of them would take 700 MB in one go."""

Flaw = Literal["few phrasings", "collision", "keyword without text", "answered and unanswered"]


@dataclass(frozen=True, slots=True)
class ArticleProblem:
    """Name what an editor should look at: in which article and section, and what it is."""

    flaw: Flaw
    slug: str
    section: str
    detail: str


def check_articles(articles: Sequence[Article]) -> list[ArticleProblem]:
    """Give what is to be mended, by kind and in the articles' order. Raises WordVectorsUnusable."""
    sections = sections_of(articles)
    return [*_few_phrasings(sections), *_collisions(sections), *_answered_twice(articles), *_empty_keywords(articles)]


def _few_phrasings(sections: Sequence[ArticleSection]) -> Iterator[ArticleProblem]:
    for one in sections:
        if len(one.asked) < PHRASINGS_MIN:
            yield ArticleProblem("few phrasings", one.slug, one.heading, f"{len(one.asked)}, at least {PHRASINGS_MIN}")


def _collisions(sections: Sequence[ArticleSection]) -> Iterator[ArticleProblem]:
    """Give phrasings of one section that another section claims as well, each pair once."""
    listed = [(place, phrasing) for place, one in enumerate(sections) for phrasing in one.asked]
    if not listed:
        return
    vectors = load_word_vectors().embed([clean(phrasing) for _, phrasing in listed])
    owners = np.array([f"{sections[place].slug}/{sections[place].heading}" for place, _ in listed])
    for start in range(0, len(listed), _BATCH):
        alike = vectors[start : start + _BATCH] @ vectors.T >= ALIKE_MIN
        alike &= owners[start : start + _BATCH, None] != owners[None, :]
        for row, column in zip(*np.nonzero(alike), strict=True):
            (place, phrasing), (other, also) = listed[start + row], listed[column]
            if place < other:
                there = f"{sections[other].title} \u203a {sections[other].heading}"
                yield ArticleProblem(
                    "collision", sections[place].slug, sections[place].heading, f"{phrasing!r}; {there}: {also!r}"
                )


def _answered_twice(articles: Sequence[Article]) -> Iterator[ArticleProblem]:
    """Give questions that are listed as unanswered, and as asked of a section in nearly the same words."""
    asked = [(one, phrasing) for one in sections_of(articles) for phrasing in one.asked]
    unanswered = [(article.slug, question) for article in articles for question in article.unanswered]
    if not asked or not unanswered:
        return
    vectors = load_word_vectors()
    alike = vectors.embed([clean(one) for _, one in unanswered]) @ vectors.embed([clean(one) for _, one in asked]).T
    for row, column in enumerate(alike.argmax(1)):
        if alike[row, column] >= ALIKE_MIN:
            (section, phrasing), (slug, question) = asked[column], unanswered[row]
            detail = f"{phrasing!r}; {slug} leaves {question!r} unanswered"
            yield ArticleProblem("answered and unanswered", section.slug, section.heading, detail)


def _empty_keywords(articles: Sequence[Article]) -> Iterator[ArticleProblem]:
    """Give keywords of which no word stands in the article's text or phrasings: they lead to it and find nothing."""
    for article in articles:
        text = " ".join(part for section in article.sections for part in section)
        phrasings = " ".join(phrasing for several in article.asked.values() for phrasing in several)
        spoken = {stem(word) for word in clean(f"{article.title} {text} {phrasings}").replace("-", " ").split()}
        for keyword in article.keywords:
            words = {stem(word) for word in clean(keyword).replace("-", " ").split() if word not in STOP_WORDS}
            if words.isdisjoint(spoken):
                yield ArticleProblem("keyword without text", article.slug, "", repr(keyword))
