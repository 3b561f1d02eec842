"""Mend typos by the words that a tenant's articles have."""

from __future__ import annotations

import re
from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from worker.models.word_vectors import WordVectors

LETTERS_MIN = 5
"""Letters from which a word is mended; shorter ones are a letter away from too many others."""

PIECES_MIN = 3
"""Pieces from which a word is no plain English one: "parking" is two, "over-w-ight" three."""

_WORD = re.compile(r"[a-z]+")


class Spelling:
    """Find the known word that an unknown one is a letter away from: too many, too few, another, or two swapped.

    By the words that both give when a letter is left out (Garbe's symmetric deletes), so a look costs as many
    dictionary reads as the word has letters. Only a word that the tokenizer of the vectors cuts into shreds is taken
    for a typo: "parking" is a word that no article has, and not "packing".
    """

    def __init__(self, texts: Iterable[str], vectors: WordVectors) -> None:
        counts = Counter(chain.from_iterable(map(_WORD.findall, texts)))
        self._vectors = vectors
        self._known = frozenset(counts)
        self._meant: dict[str, str] = {}
        for word, _ in sorted(counts.items(), key=lambda counted: counted[1]):
            if len(word) >= LETTERS_MIN:
                self._meant.update(dict.fromkeys(_shortened(word), word))  # of several, the most frequent

    def mend(self, word: str) -> str:
        """Give the known word that is meant by a lower-case one; the word itself when it is known, or none is near."""
        if len(word) < LETTERS_MIN or word in self._known or not _WORD.fullmatch(word):
            return word
        if len(self._vectors.tokenize(word)) < PIECES_MIN:
            return word
        return next((self._meant[part] for part in _shortened(word) if part in self._meant), word)


def _shortened(word: str) -> Iterator[str]:
    yield word
    yield from (word[:at] + word[at + 1 :] for at in range(len(word)))
