"""Judge a text by what was learned from sentences: words, letters and meaning, weighed by a linear classifier.

The weights ship; `python -m worker.domains.airline.local.train` makes them from the sentences in `training/`. Rules
know the words that they were given; this finds what is worded otherwise.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from runtime.patterns import load_patterns
from worker.conversation.vault import replace_placeholders
from worker.guardrails.disguise import undisguise
from worker.models.word_vectors import load_word_vectors

if TYPE_CHECKING:
    from numpy.typing import NDArray

WEIGHT_UNIT = 100
"""Weights ship as whole hundredths, so that those of another machine can be compared without rounding doubts."""
WORDS_SCALE, MEANING_SCALE = 2.0, 3.0
"""How much words and letters, and how much meaning, may say: lengths of the two halves of a text's features."""

_RUNS = (4, 5)
"""Letters in a row that are features: what words of one stem, or one that is misspelled, have in common."""
_RUN_WORD_MIN = 4
_PAIR_REACH = 5
"""Words within which two that belong to classes of the rules make a feature of their own: "you ... idiot"."""
_WORD_FEATURES_KEPT_MAX = 20_000
_PIECE_WORDS_MIN = 3
_WHOLE_WORDS_MAX = 20
"""Words up to which a text is judged only whole; of a longer one each sentence is judged, too."""


class Judgement(NamedTuple):
    """What a text most likely is, apart from harmless, and how likely it is not harmless (0 to 1)."""

    label: str
    probability: float


@dataclass(frozen=True)
class LinearJudge:
    """A trained classifier of texts; immutable, safe to use from several threads."""

    labels: tuple[str, ...]
    """The first is that of harmless texts."""
    threshold: float
    """Probability from which a text counts as not harmless; found by cross-validation."""
    bias: NDArray[np.float32]
    """Shape (labels,)."""
    rows: Mapping[str, int]
    """Row of `weights` by feature."""
    weights: NDArray[np.float32]
    """Shape (features, labels)."""
    meaning: NDArray[np.float32]
    """Shape (dimensions of the word vectors, labels)."""

    def judge(self, text: str) -> Judgement:
        """Judge a normalised, masked text by the gravest of its pieces."""
        words = read_words(text)
        return max((self._judge_piece(piece) for piece in pieces_of(words)), key=lambda one: one.probability)

    def _judge_piece(self, words: Sequence[str]) -> Judgement:
        found = [row for feature in features_of(words) if (row := self.rows.get(feature)) is not None]
        scores = self.bias + meaning_of(words) @ self.meaning
        if found:
            scores = scores + self.weights[found].sum(0) / math.sqrt(len(found))
        odds = np.exp(scores - scores.max())
        odds /= odds.sum()
        return Judgement(self.labels[int(odds[1:].argmax()) + 1], float(1 - odds[0]))

    def trips(self, text: str) -> Judgement | None:
        """Return the judgement of a text that is not harmless; None for one that is."""
        found = self.judge(text)
        return found if found.probability >= self.threshold else None


def read_words(text: str) -> list[str]:
    """Return the words and sentence marks of a text, disguises undone, "number" for what was masked.

    Words wholly in another alphabet are left out: nothing was learned of them. One with some of its letters is a
    disguise.
    """
    named = replace_placeholders(text, lambda _: " number ")
    if not named.isascii():
        named = " ".join(word for word in named.split() if word.isascii() or _LATIN.search(word))
    return [word for word in undisguise(named).split() if len(word) <= _WORD_LETTERS_MAX]


_WORD_LETTERS_MAX = 40
"""Longer ones are no words, and cutting one into tokens takes time that grows with the square of its length."""
_LATIN = re.compile(r"[A-Za-z0-9]|^\W+$")


def pieces_of(words: Sequence[str]) -> list[Sequence[str]]:
    """Return what of a text is judged by itself: the whole, and of a long one each sentence, too.

    In a long text the rest would outweigh the one sentence that matters.
    """
    if len(words) <= _WHOLE_WORDS_MAX:
        return [words]
    sentences: list[list[str]] = [[]]
    for word in words:
        sentences[-1].append(word)
        if word in {".", "!", "?", ";"} and len(sentences[-1]) > _PIECE_WORDS_MIN:
            sentences.append([])
    return [words, *filter(None, sentences)]


def features_of(words: Sequence[str]) -> set[str]:
    """List the features of words: each by itself, neighbours, runs of letters, and pairs of the rules' classes."""
    found = {f"b:{left} {right}" for left, right in pairwise(["^", *words, "$"])}
    for word in words:
        found.update(_features_of_word(word))
    classes = [class_of(word) for word in words]
    for at, one in enumerate(classes):
        if one:
            found.update(f"p:{one} {other}" for other in classes[at + 1 : at + _PAIR_REACH] if other)
    return found


@lru_cache(maxsize=_WORD_FEATURES_KEPT_MAX)
def _features_of_word(word: str) -> tuple[str, ...]:
    return tuple(_word_features(word))


def _word_features(word: str) -> Iterator[str]:
    yield f"w:{word}"
    if one := class_of(word):
        yield f"k:{one}"
    if len(word) >= _RUN_WORD_MIN:
        marked = f"<{word}>"
        for length in _RUNS:
            for start in range(len(marked) - length + 1):
                yield f"c:{marked[start : start + length]}"


def class_of(word: str) -> str:
    """Return the class of `abuse.patterns` that a word belongs to; empty for none."""
    return _classes().get(word, "")


_CLASSED = (
    "group",
    "person",
    "degrading",
    "weak_insult",
    "ambiguous",
    "strong_insult",
    "slur",
    "gendered",
)
"""Sections of single words whose members mean the same to the judge; the last that has a word is the word's."""
_PLURAL = re.compile(r"([a-z]+)\(\?:e\?s\)\?")
_PLAIN = re.compile(r"[a-z]+")


@cache
def _classes() -> Mapping[str, str]:
    patterns = load_patterns("worker.guardrails", "abuse.patterns")
    found: dict[str, str] = {}
    for section in _CLASSED:
        for word in _PLURAL.findall(patterns[section]):
            found.update(dict.fromkeys((word, f"{word}s", f"{word}es"), section))
    for section in ("address", "body", "harm"):
        found.update(dict.fromkeys(filter(_PLAIN.fullmatch, patterns[section][3:-1].split("|")), section))
    return found


def meaning_of(words: Sequence[str]) -> NDArray[np.float32]:
    """Return the mean of the words' vectors, of length 1; zeros for no words."""
    found: NDArray[np.float32] = load_word_vectors().embed([" ".join(words)])[0]
    return found


@cache
def load_judge(name: str) -> LinearJudge:
    """Load the judge whose weights ship as `<name>.weights.json`, once per process."""
    shipped = read_shipped(name)
    weights = shipped["weights"]
    return LinearJudge(
        labels=tuple(shipped["labels"]),
        threshold=shipped["threshold"],
        bias=_unpack(shipped["bias"]),
        rows={feature: row for row, feature in enumerate(weights)},
        weights=_unpack(list(weights.values())),
        meaning=_unpack(shipped["meaning"]),
    )


def read_shipped(name: str) -> dict[str, Any]:
    """Read shipped weights with what is written about them."""
    written = resources.files("worker.guardrails").joinpath(f"{name}.weights.json").read_text(encoding="utf-8")
    shipped: dict[str, Any] = json.loads(written)
    return shipped


def _unpack(numbers: list[Any]) -> NDArray[np.float32]:
    return np.asarray(numbers, np.float32) / np.float32(WEIGHT_UNIT)
