"""Compare a question with texts by their words: BM25, and how much of the question each text speaks of."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from worker.models.word_vectors import Vectors, WordVectors

_NOISE = re.compile(r"@\w+|#\w+|https?://\S+|www\.\S+")
_GREETING = re.compile(r"^\W*(?:(?:hi|hello|hey|dear \w+|good (?:morning|evening|afternoon))\b[\s,!.]*)+")
_SIGN = re.compile(r"[^\w'$%&-]|_")
_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?|\d+")
_ENDINGS = ("ing", "ed", "es", "s")
_STEM_CHARACTERS_MIN = 3
_SILENT_E_FROM = 4

# fmt: off
STOP_WORDS = frozenset({
    "a", "about", "also", "am", "an", "and", "any", "anyone", "are", "as", "at", "be", "been", "but", "by", "can",
    "could", "dear", "did", "do", "does", "for", "from", "get", "guys", "had", "has", "have", "hello", "hey", "hi",
    "how", "i", "i'm", "if", "im", "in", "is", "it", "it's", "its", "just", "know", "like", "lol", "may", "me",
    "might", "must", "my", "need", "no", "not", "of", "ok", "on", "one", "or", "our", "please", "pls", "question",
    "quick", "really", "shall", "should", "so", "some", "someone", "tell", "than", "thank", "thanks", "that", "the",
    "their", "them", "then", "there", "these", "they", "this", "to", "u", "ur", "us", "want", "was", "we", "were",
    "what", "when", "where", "which", "who", "will", "with", "would", "you", "your",
})
# fmt: on
"""Words that say nothing on what a question is about."""

BM25_SATURATION, BM25_LENGTH = 1.2, 0.6
"""The constants k1 and b of BM25 (Robertson and Zaragoza 2009), at their usual values."""

PHRASE_WORDS_MAX = 4
UNKNOWN_WORD_WEIGHT = 3.5
"""What a question's word weighs that no article has: as much as one that four of a hundred sections have."""

ALIKE_MIN = 0.45
"""Cosine of two words from which one speaks of what the other does; below it, words of one trade meet by chance."""


def clean(text: str) -> str:
    """Bring a text into the form that is compared: lower case, single blanks, no handle, link, greeting or sign."""
    flat = _GREETING.sub("", _NOISE.sub(" ", text.lower().replace("\u2019", "'")))
    return " ".join(_SIGN.sub(" ", flat).split())


def stem(word: str) -> str:
    """Cut a word's ending off, so that "bags", "bag" and "bagged" count as one; wrong stems only cost a match."""
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _STEM_CHARACTERS_MIN:
            word = word[: -len(ending)]
            break
    return word.rstrip("e") if len(word) > _SILENT_E_FROM else word


def telling_words(text: str) -> list[str]:
    """List a cleaned text's words that are no stop words, each once, in order."""
    return [word for word in dict.fromkeys(_WORD.findall(text)) if word not in STOP_WORDS]


def stems_of(text: str) -> list[str]:
    """List the stems of a cleaned text's words in order, those of stop words as well."""
    return [stem(word) for word in _WORD.findall(text)]


@dataclass(frozen=True, slots=True)
class Document:
    """What one section is found by: its words, and phrases that count only as a whole."""

    text: str
    phrases: Sequence[str] = ()


class WordRanking:
    """Rank documents by BM25 over stems and whole phrases."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self._phrases = {" ".join(stems_of(phrase)) for document in documents for phrase in document.phrases}
        counts = [Counter(chain(self._terms(one.text), self._own_phrases(one))) for one in documents]
        lengths = np.array([max(1, sum(count.values())) for count in counts], np.float64)
        relative = 1 - BM25_LENGTH + BM25_LENGTH * lengths / lengths.mean() if counts else lengths
        places: dict[str, list[tuple[int, int]]] = {}
        for place, count in enumerate(counts):
            for term, times in count.items():
                places.setdefault(term, []).append((place, times))
        self._size = len(counts)
        self._postings = {term: self._weigh(found, relative) for term, found in places.items()}

    def scores(self, question: str) -> NDArray[np.float64]:
        """Return each document's score for a cleaned question: about 3 for one telling word, 0 for none."""
        scores = np.zeros(self._size)
        for term in dict.fromkeys(self._terms(question)):
            found = self._postings.get(term)
            if found is not None:
                scores[found[0]] += found[1]
        return scores

    def weight(self, word: str) -> float:
        """Return how telling a word is; the fewer documents have it, the more; UNKNOWN_WORD_WEIGHT for an unknown."""
        found = self._postings.get(stem(word))
        return UNKNOWN_WORD_WEIGHT if found is None else _rarity(len(found[0]), self._size)

    def _weigh(
        self, found: Sequence[tuple[int, int]], relative: NDArray[np.float64]
    ) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        at = np.array([place for place, _ in found], np.intp)
        times = np.array([times for _, times in found], np.float64)
        saturated = times * (BM25_SATURATION + 1) / (times + BM25_SATURATION * relative[at])
        return at, _rarity(len(found), self._size) * saturated

    def _terms(self, text: str) -> Iterator[str]:
        yield from (stem(word) for word in _WORD.findall(text) if word not in STOP_WORDS)
        stems = stems_of(text)
        for words in range(2, PHRASE_WORDS_MAX + 1):
            runs = (" ".join(stems[at : at + words]) for at in range(len(stems) - words + 1))
            yield from (run for run in runs if run in self._phrases)

    @staticmethod
    def _own_phrases(document: Document) -> Iterator[str]:
        for phrase in document.phrases:
            stems = stems_of(phrase)
            if stems:
                yield " ".join(stems)


def _rarity(documents: int, all_documents: int) -> float:
    return math.log(1 + (all_documents - documents + 0.5) / (documents + 0.5))


class WordCoverage:
    """How much of a question each document speaks of, in the same words or in ones that mean nearly the same."""

    def __init__(self, texts: Sequence[str], vectors: WordVectors) -> None:
        words = [telling_words(text) or [""] for text in texts]
        known = {word: place for place, word in enumerate(dict.fromkeys(chain.from_iterable(words)))}
        self._vectors = vectors
        self._table: Vectors = vectors.embed(list(known))
        self._at = np.array([known[word] for word in chain.from_iterable(words)], np.intp)
        self._starts = np.cumsum([0, *map(len, words)])[:-1]

    def scores(self, weigh: Mapping[str, float]) -> NDArray[np.float64]:
        """Return each document's share of a question's weight, 0 to 1; `weigh` has the question's telling words."""
        if not weigh or not len(self._starts):
            return np.zeros(len(self._starts))
        alike = self._vectors.embed(list(weigh)) @ self._table.T
        nearest = np.maximum.reduceat(alike[:, self._at], self._starts, axis=1)
        spoken_of = np.clip((nearest - ALIKE_MIN) / (1 - ALIKE_MIN), 0, 1)
        weights = np.array(list(weigh.values()))
        shares: NDArray[np.float64] = weights @ spoken_of / weights.sum()
        return shares


def count_tokens(texts: Iterable[str], vectors: WordVectors) -> Vectors:
    """Count how often each token of the vectors' table stands in texts."""
    counts = np.zeros(len(vectors.table), np.float32)
    for text in texts:
        np.add.at(counts, vectors.tokenize(text), 1)
    return counts
