"""Find the sections of articles that answer a question: by meaning, by words, and by how customers ask for them.

A tenant's index lives in the process. Its sections' vectors are a megabyte and are compared in a fraction of a
millisecond, where PostgreSQL would be sent as much for each question and needs pgvector; what is asked of PostgreSQL is
only whether the articles are still the same.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from worker.conversation.effects import Passage
from worker.store.article_words import Document, WordCoverage, WordRanking, clean, count_tokens, telling_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from worker.models.word_vectors import Vectors, WordVectors

    Scores = NDArray[np.float64]

TEXT_SHARE, HEADING_SHARE, WORDS_SHARE, COVERAGE_SHARE = 0.5, 0.2, 0.05, 0.3
"""What counts beside the likeness to the nearest phrasing: likeness to text and heading, BM25, coverage.

Found on our tuning questions; between half and twice of each the results hardly move (docs/knowledge.md).
"""

FOUND_MIN = 1.32
"""Rank from which a section answers a question. Lower, and more is answered, and more of it wrongly."""

CLOSE = 0.3
"""How far below the best a section's rank may be to be an answer too."""

UNANSWERED_SHARE, UNANSWERED_FROM = 0.6, 0.3
"""How much a likeness to a question that no article answers takes from every rank, and from which likeness on."""

_SENTENCE_END: Final = re.compile(r"(?<=[.!?])\s+")
_HALF_WEIGHT_AT: Final = 0.003
"""Share of all tokens at which a token weighs half (smooth inverse frequency: Arora, Liang, Ma 2017)."""


@dataclass(frozen=True, slots=True)
class Section:
    """Hold a section of an article as it is searched; `asked` are ways in which customers ask for it."""

    slug: str
    number: int
    title: str
    heading: str
    body: str
    keywords: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()


class ArticleIndex:
    """Rank sections for a question; built once for a state of the articles, and then only read."""

    def __init__(self, sections: Sequence[Section], unanswered: Sequence[str], vectors: WordVectors) -> None:
        self.sections = tuple(sections)
        self._vectors = vectors
        asked = [(place, clean(phrasing)) for place, one in enumerate(sections) for phrasing in _phrasings_of(one)]
        texts = [clean(f"{one.title}: {one.heading}. {one.body}") for one in sections]
        spoken = [f"{texts[place]} {clean(' '.join(one.asked))}" for place, one in enumerate(sections)]
        self._token_weights = _weigh_tokens([*texts, *(phrasing for _, phrasing in asked)], vectors)
        self._owners = np.array([place for place, _ in asked], np.intp)
        self._asked = self._embed([phrasing for _, phrasing in asked])
        self._texts = self._embed(texts)
        self._headings = self._embed([clean(f"{one.title}: {one.heading}") for one in sections])
        self._unanswered = self._embed([clean(question) for question in unanswered])
        self._words = WordRanking(
            [Document(text, [clean(word) for word in one.keywords]) for text, one in zip(spoken, sections, strict=True)]
        )
        self._coverage = WordCoverage(
            [f"{text} {clean(' '.join(one.keywords))}" for text, one in zip(spoken, sections, strict=True)], vectors
        )

    def search(self, question: str, limit: int) -> list[Passage]:
        """Give the sections that answer a question, best first; none when nothing is about it."""
        ranks = self.rank(question)
        if not len(ranks):
            return []
        best = np.argsort(-ranks, kind="stable")[:limit]
        rank_min = max(FOUND_MIN, float(ranks[best[0]]) - CLOSE)
        return [self._passage(int(place), float(ranks[place])) for place in best if ranks[place] >= rank_min]

    def rank(self, question: str) -> Scores:
        """Give each section's rank for a question, in the order of `sections`; all 0 for one without a telling word."""
        asked = " ".join(dict.fromkeys(clean(question).split()))  # what is said twice is not twice as telling
        weights = {word: self._words.weight(word) for word in telling_words(asked)}
        if not weights or not self.sections:
            return np.zeros(len(self.sections))
        meaning = self._embed([asked])[0]
        nearest = np.full(len(self.sections), -1.0)
        np.maximum.at(nearest, self._owners, self._asked @ meaning)
        ranks: Scores = (
            np.maximum(nearest, 0)
            + TEXT_SHARE * (self._texts @ meaning)
            + HEADING_SHARE * (self._headings @ meaning)
            + WORDS_SHARE * self._words.scores(asked)
            + COVERAGE_SHARE * self._coverage.scores(weights)
        )
        return ranks - self._unanswered_share(meaning)

    def _unanswered_share(self, meaning: Vectors) -> float:
        if not len(self._unanswered):
            return 0.0
        return UNANSWERED_SHARE * max(0.0, float((self._unanswered @ meaning).max()) - UNANSWERED_FROM)

    def _embed(self, texts: Sequence[str]) -> Vectors:
        return self._vectors.embed(texts, self._token_weights)

    def _passage(self, place: int, rank: float) -> Passage:
        one = self.sections[place]
        return Passage(one.title, one.heading, one.slug, one.body, rank)


def _phrasings_of(section: Section) -> tuple[str, ...]:
    """Give how customers ask for a section; where nobody has written that down, what it says stands in."""
    if section.asked:
        return section.asked
    return (f"{section.title} {section.heading}", *section.keywords, *_SENTENCE_END.split(section.body))


def _weigh_tokens(texts: Sequence[str], vectors: WordVectors) -> Vectors:
    """Weigh each token by how rare it is in a tenant's texts: 1 for one that is in none."""
    counts = count_tokens(texts, vectors)
    weights: Vectors = _HALF_WEIGHT_AT / (_HALF_WEIGHT_AT + counts / max(1.0, float(counts.sum())))
    return weights
