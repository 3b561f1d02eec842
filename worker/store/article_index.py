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
from worker.store.article_telling import SectionClassifier
from worker.store.article_words import Document, WordCoverage, WordRanking, clean, count_tokens, telling_words
from worker.store.spelling import Spelling

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from worker.models.word_vectors import Vectors, WordVectors

    Scores = NDArray[np.float64]

TEXT_SHARE, HEADING_SHARE, WORDS_SHARE, COVERAGE_SHARE = 0.5, 0.2, 0.05, 0.3
"""What counts beside the likeness to the nearest phrasing: likeness to text and heading, BM25, coverage.

Found on our tuning questions; between half and twice of each the results hardly move (docs/knowledge.md).
"""

FOUND_MIN = 1.3
"""Rank from which a section answers a question. Lower, and more is answered, and more of it wrongly."""

CLOSE, CLOSE_MIN = 0.3, 1.1
"""How far below the best a section's rank may be to be an answer too, and the rank that this takes at least."""

SUBJECT_SHARE, SUBJECT_FROM = 0.8, 0.6
"""How much the rank of the question before, from which rank on, adds to the whole article that it was about."""

NAMES_ITS_SUBJECT_FROM = 1.4
"""Rank of a question alone from which it says what it is about; below, it is ranked together with the one before."""

PARTS_MAX = 3
PART_FOUND_MIN = 1.6
"""Rank from which a section answers a part of a question; more than for a whole, since a part says less."""

UNANSWERED_FROM, UNANSWERED_BEHIND = 0.3, 0.2
"""Likeness to a question that no article answers, from which it takes from every rank what it is above this, or above
the likeness to the nearest phrasing less this much."""

CLASSIFIED_AS_NONE_SHARE = 1.0
"""How much of what the classifier gives to "no section" is taken from every rank."""

_PART_END: Final = re.compile(r"(?<=[?.!;])\s+|\n+|\b(?:and|plus)\b", re.IGNORECASE)
_SENTENCE_END: Final = re.compile(r"(?<=[.!?])\s+")
_HALF_WEIGHT_AT: Final = 0.003
"""Share of all tokens at which a token weighs half (smooth inverse frequency: Arora, Liang, Ma 2017)."""


@dataclass(frozen=True, slots=True)
class ArticleSection:
    """A section of an article as it is searched; `asked` are ways in which customers ask for it."""

    slug: str
    number: int
    title: str
    heading: str
    body: str
    keywords: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()


class ArticleIndex:
    """Rank sections for a question; built once for a state of the articles, and then only read."""

    def __init__(self, sections: Sequence[ArticleSection], unanswered: Sequence[str], vectors: WordVectors) -> None:
        self.sections = tuple(sections)
        self._vectors = vectors
        asked = [(place, clean(phrasing)) for place, one in enumerate(sections) for phrasing in _phrasings_of(one)]
        texts = [clean(f"{one.title}: {one.heading}. {one.body}") for one in sections]
        spoken = [f"{texts[place]} {clean(' '.join(one.asked))}" for place, one in enumerate(sections)]
        self._token_weights = _weigh_tokens([*texts, *(phrasing for _, phrasing in asked)], vectors)
        slugs = {slug: place for place, slug in enumerate(dict.fromkeys(one.slug for one in sections))}
        self._articles = np.array([slugs[one.slug] for one in sections], np.intp)
        self._owners = np.array([place for place, _ in asked], np.intp)
        self._asked = self._embed([phrasing for _, phrasing in asked])
        self._texts = self._embed(texts)
        self._headings = self._embed([clean(f"{one.title}: {one.heading}") for one in sections])
        left_open = [clean(question) for question in unanswered]
        self._unanswered = self._embed(left_open)
        self._classifier = SectionClassifier(
            [*(phrasing for _, phrasing in asked), *left_open],
            np.concatenate([self._asked, self._unanswered]),
            np.concatenate([self._owners, np.full(len(left_open), len(sections), np.intp)]),
            len(sections),
        )
        self._words = WordRanking(
            [Document(text, [clean(word) for word in one.keywords]) for text, one in zip(spoken, sections, strict=True)]
        )
        said = [f"{text} {clean(' '.join(one.keywords))}" for text, one in zip(spoken, sections, strict=True)]
        self._coverage = WordCoverage(said, vectors)
        self._spelling = Spelling(said, vectors)

    def search(self, question: str, limit: int, about: str = "") -> list[Passage]:
        """Return the sections that answer a question; none when nothing is about it.

        They stand best first, and where a question asks for several things, in the order asked.

        `about` is the question before it, where this one leans on that ("and in the hold?").
        """
        if not self.sections:
            return []
        ranks = self.rank_after(question, about) if about else self.rank(question)
        best = [int(place) for place in np.argsort(-ranks, kind="stable")[:limit]]
        if ranks[best[0]] < FOUND_MIN:
            return []
        rank_min = max(CLOSE_MIN, float(ranks[best[0]]) - CLOSE)
        found = {place: float(ranks[place]) for place in best if ranks[place] >= rank_min}
        found = {**self._search_parts(question, about), **found}
        return [self._passage(place, rank) for place, rank in list(found.items())[:limit]]

    def _search_parts(self, question: str, about: str) -> dict[int, float]:
        """Return the best section of each part of a question that asks for several things; none where it does not.

        Places in `sections` and their ranks, in the order asked.
        """
        parts = [part for part in _PART_END.split(question) if telling_words(clean(part))][:PARTS_MAX]
        found: dict[int, float] = {}
        for part in parts if len(parts) > 1 else []:
            before = about if part is parts[0] else parts[0]
            ranks = self.rank_after(part, before) if before else self.rank(part)
            place = int(ranks.argmax())
            if ranks[place] >= PART_FOUND_MIN:
                found.setdefault(place, float(ranks[place]))
        return found if len(found) > 1 else {}

    def rank_after(self, question: str, about: str) -> Scores:
        """Rank as `rank` does, and add to all sections of an article what makes one of them rank high for `about`."""
        before = self.rank(about)
        subject = np.full(len(self._articles) and self._articles.max() + 1, -1.0)
        np.maximum.at(subject, self._articles, before)
        own = self._rank(self._read(question))
        ranks: Scores = own + SUBJECT_SHARE * np.maximum(subject[self._articles] - SUBJECT_FROM, 0)
        if own.max(initial=0.0) < NAMES_ITS_SUBJECT_FROM:
            ranks = (ranks + np.maximum(ranks, self.rank(f"{about} {question}"))) / 2
        return ranks

    def rank(self, question: str) -> Scores:
        """Give each section's rank for a question, in the order of `sections`; all 0 for one without a telling word."""
        asked = self._read(question)
        return self._rank(asked) if telling_words(asked) else np.zeros(len(self.sections))

    def _read(self, question: str) -> str:
        """Clean a question, mend its typos and leave out what it repeats, which is no more telling for that."""
        return " ".join(dict.fromkeys(self._spelling.mend(word) for word in clean(question).split()))

    def _rank(self, asked: str) -> Scores:
        if not self.sections:
            return np.zeros(0)
        weights = {word: self._words.weight(word) for word in telling_words(asked)}
        meaning = self._embed([asked])[0]
        nearest = np.zeros(len(self.sections))
        np.maximum.at(nearest, self._owners, self._asked @ meaning)
        classified = self._classifier.scores(asked, meaning)
        ranks: Scores = (
            nearest
            + classified[:-1]
            + TEXT_SHARE * (self._texts @ meaning)
            + HEADING_SHARE * (self._headings @ meaning)
            + WORDS_SHARE * self._words.scores(asked)
            + COVERAGE_SHARE * self._coverage.scores(weights)
        )
        ranks -= CLASSIFIED_AS_NONE_SHARE * max(0.0, float(classified[-1]))
        return ranks - self._unanswered_share(meaning, float(nearest.max()))

    def _unanswered_share(self, meaning: Vectors, nearest: float) -> float:
        if not len(self._unanswered):
            return 0.0
        unanswered = float((self._unanswered @ meaning).max())
        return max(0.0, unanswered - max(UNANSWERED_FROM, nearest - UNANSWERED_BEHIND))

    def _embed(self, texts: Sequence[str]) -> Vectors:
        return self._vectors.embed(texts, self._token_weights)

    def _passage(self, place: int, rank: float) -> Passage:
        one = self.sections[place]
        return Passage(one.title, one.heading, one.slug, one.body, rank)


def _phrasings_of(section: ArticleSection) -> tuple[str, ...]:
    """Return how customers ask for a section; where nobody has written that down, what it says stands in."""
    if section.asked:
        return section.asked
    return (f"{section.title} {section.heading}", *section.keywords, *_SENTENCE_END.split(section.body))


def _weigh_tokens(texts: Sequence[str], vectors: WordVectors) -> Vectors:
    """Weigh each token by how rare it is in a tenant's texts: 1 for one that is in none."""
    counts = count_tokens(texts, vectors)
    weights: Vectors = _HALF_WEIGHT_AT / (_HALF_WEIGHT_AT + counts / max(1.0, float(counts.sum())))
    return weights
