"""Learn from the ways customers ask what tells each section from all others, and a question that none answers."""

from __future__ import annotations

import math
import zlib
from collections import Counter
from itertools import chain, pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from worker.store.article_words import stems_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from worker.models.word_vectors import Vectors

RIDGE: Final = 5.0
"""How strongly the regression is held to small weights; from 2 to 5 the results hardly move."""

WORDS_SHARE: Final = 0.7
"""How much likeness in words counts beside likeness in meaning; from 0.7 to 1.2 the results hardly move."""

BUCKETS: Final = 512
"""Numbers that a text's words and pairs of words are hashed into: more are slower to learn, and hardly better."""


class HashedWords:
    """Write a text's stems and pairs of neighbours as BUCKETS numbers, the rare ones heavy (TF-IDF, hashed).

    Feature hashing with signs keeps the likeness of two texts nearly (Weinberger et al. 2009). Words that no text of
    the collection has count for nothing.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        found = [_terms(text) for text in texts]
        counts = Counter(chain.from_iterable(found))
        self._weights = {term: math.log((1 + len(texts)) / (1 + times)) + 1 for term, times in counts.items()}
        self.vectors: Vectors = np.array([self._write(terms) for terms in found], np.float32).reshape(-1, BUCKETS)

    def write(self, text: str) -> Vectors:
        """Return a cleaned text's numbers, of length 1; all 0 when none of its words is known."""
        return self._write(_terms(text))

    def _write(self, terms: set[str]) -> Vectors:
        numbers = np.zeros(BUCKETS, np.float32)
        for term in terms & self._weights.keys():
            place = zlib.crc32(term.encode())
            numbers[place % BUCKETS] += self._weights[term] * (1 if (place >> 20) & 1 else -1)
        length = float(np.linalg.norm(numbers))
        return numbers / length if length else numbers


class SectionClassifier:
    """Say how much a question is asked in the ways of each section, by ridge regression on meaning and words.

    The nearest phrasing is one example, and a long question has much beside the point; this weighs all of them.
    """

    def __init__(self, texts: Sequence[str], meanings: Vectors, owners: NDArray[np.intp], sections: int) -> None:
        """Learn from cleaned `texts`, their `meanings`, and the place of the section that each asks for.

        The place `sections` stands for none of them.
        """
        self._words = HashedWords(texts)
        examples = np.hstack([meanings, math.sqrt(WORDS_SHARE) * self._words.vectors])
        belongs = np.zeros((len(texts), sections + 1), np.float32)
        belongs[np.arange(len(texts)), owners] = 1
        inner = examples.T @ examples + RIDGE * np.eye(examples.shape[1], dtype=np.float32)
        self._weights: Vectors = np.linalg.solve(inner, examples.T @ belongs)

    def scores(self, text: str, meaning: Vectors) -> Vectors:
        """Return about 1 for a section whose own phrasing this is, 0 for others; the last is for none of them."""
        scores: Vectors = np.concatenate([meaning, math.sqrt(WORDS_SHARE) * self._words.write(text)]) @ self._weights
        return scores


def _terms(text: str) -> set[str]:
    stems = stems_of(text)
    return {*stems, *(f"{left} {right}" for left, right in pairwise(stems))}
