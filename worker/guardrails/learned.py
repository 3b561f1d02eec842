"""Judge a text by what was learned from sentences: families of words, who is beside whom, and meaning.

The weights ship; `python -m worker.domains.airline.local.train` makes them from the sentences in `training/`. Rules
know the wordings that they were given; this finds what is worded otherwise. Most features are of families of words
(`families.patterns`: "you", "insult", "hope", "death"), so that a sentence need not have been seen word for word.
"""

from __future__ import annotations

import gzip
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

from runtime.patterns import load_words
from worker.conversation.vault import replace_placeholders
from worker.guardrails.disguise import undisguise
from worker.models.word_vectors import load_word_vectors

if TYPE_CHECKING:
    from numpy.typing import NDArray

WEIGHT_UNIT = 100
"""Weights ship as whole hundredths, so that those of another machine can be compared without rounding doubts."""
WORDS_SCALE, MEANING_SCALE = 2.0, 2.0
"""How much words may say, and how much each half of the meaning: lengths of the parts of a text's features."""
SUSPECT_MIN = 0.1
"""Probability from which the rules are asked, too: of what is plainly harmless to the judge they are mostly wrong."""

_REACH = 6
"""Words within which two families make a feature of their own: "you ... idiot"."""
_PHRASE_WORDS_MAX = 4
_PIECE_WORDS_MIN = 3
_WHOLE_WORDS_MAX = 20
"""Words up to which a text is judged only whole; of a longer one each sentence is judged, too."""
_SENTENCE_ENDS = frozenset(".!?;")
_PIECES_KEPT_MAX = 256
"""Pieces whose features are remembered: both judges read the same ones."""


class Judgement(NamedTuple):
    """What a text most likely is, apart from harmless, and how likely it is not harmless (0 to 1)."""

    label: str
    probability: float


@dataclass(frozen=True)
class LinearJudge:
    """Trained classifiers of texts, one for whether they are harmless and one for what they are if they are not.

    Immutable, safe to use from several threads. Their weights stand side by side: the first column is that of the
    first, the others are those of `labels`.
    """

    labels: tuple[str, ...]
    threshold: float
    """Probability from which a text counts as not harmless; found by cross-validation."""
    bias: NDArray[np.float32]
    """Shape (1 + labels,)."""
    rows: Mapping[str, int]
    """Row of `weights` by feature."""
    weights: NDArray[np.float32]
    """Shape (features, 1 + labels)."""
    meaning: NDArray[np.float32]
    """Shape (twice the dimensions of the word vectors, 1 + labels)."""

    def judge(self, text: str) -> Judgement:
        """Judge a normalised, masked text by the gravest of its pieces."""
        words = read_words(text)
        return max((self._judge_piece(piece) for piece in pieces_of(words)), key=lambda one: one.probability)

    def _judge_piece(self, words: Sequence[str]) -> Judgement:
        features, meaning = _read_piece(tuple(words))
        found = [row for feature in features if (row := self.rows.get(feature)) is not None]
        scores = self.bias + meaning @ self.meaning
        if found:
            scores = scores + self.weights[found].sum(0) / math.sqrt(len(found))
        probability = 1 / (1 + math.exp(-float(scores[0])))
        if len(words) <= _FEW_WORDS and _is_plain(features):
            probability = min(probability, SUSPECT_MIN)  # the rules decide
        return Judgement(self.labels[int(scores[1:].argmax())], probability)


@lru_cache(maxsize=_PIECES_KEPT_MAX)
def _read_piece(words: tuple[str, ...]) -> tuple[frozenset[str], NDArray[np.float32]]:
    return frozenset(features_of(words)), meaning_of(words)


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
        if word in _SENTENCE_ENDS and len(sentences[-1]) > _PIECE_WORDS_MIN:
            sentences.append([])
    return [words, *filter(None, sentences)]


def features_of(words: Sequence[str]) -> set[str]:
    """List the features of words: each, neighbours, families, pairs of families near by, and families beside words."""
    families = _families_of(words)
    found = {f"w:{word}" for word in words}
    found.update(f"f:{one}" for those in families for one in those)
    if words:
        found.update(f"q:{one}" for one in families[0])
    if words and words[-1] == "?":
        found.add("q:")
    ends = ["^", *words, "$"]
    found.update(f"b:{left} {right}" for left, right in pairwise(ends))
    for at, those in enumerate(families):
        found.update(feature for one in those for feature in (f"g:{ends[at]} {one}", f"g:{one} {ends[at + 2]}"))
    found.update(_pairs(words, families))
    return found


def _pairs(words: Sequence[str], families: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """Pair the families of the words of a sentence that stand near each other, the earlier one first."""
    for at, those in enumerate(families):
        for later in range(at + 1, min(at + 1 + _REACH, len(words))):
            if words[later - 1] in _SENTENCE_ENDS:
                break
            for one in those:
                for other in families[later]:
                    yield f"p:{one} {other}"


def _families_of(words: Sequence[str]) -> list[tuple[str, ...]]:
    """Return, for each word, the families of it and of the phrases that it begins."""
    known = _families()
    return [
        tuple(
            dict.fromkeys(
                family
                for length in (1, *_phrase_lengths().get(word, ()))
                for family in known.get(" ".join(words[at : at + length]), ())
            )
        )
        for at, word in enumerate(words)
    ]


def _is_plain(features: frozenset[str]) -> bool:
    """Check whether none of the words says anything grave by itself."""
    return not any(one.startswith("f:") and one.removeprefix("f:") not in _PLAIN_FAMILIES for one in features)


_FEW_WORDS = 8
"""Up to so many words, a text is grave only if one of them is: what else a judge hears in an answer is chance."""
_PLAIN_FAMILIES = frozenset(
    {
        "you",
        "your",
        "me",
        "mine",
        "they",
        "their",
        "that_person",
        "kin",
        "stranger",
        "young",
        "crew_member",
        "person",
        "group",
        "not",
        "asks",
        "may_i",
        "supposed",
        "if",
        "will",
        "hope",
        "past",
        "now",
        "here",
        "urgent",
        "told",
        "story",
        "laugh",
        "law",
        "money",
        "thing",
        "message",
        "place",
        "sickness",
        "courtesy",
        "praise",
        "too_much",
    }
)
"""Families whose words say nothing grave by themselves ("that will be all"); "I'll" is read as "ill"."""

_ABUSE_FAMILIES = (
    "group",
    "person",
    "degrading",
    "weak_insult",
    "ambiguous",
    "strong_insult",
    "slur",
    "gendered",
)
"""Sections of `abuse.patterns` that are families, too."""


@cache
def _families() -> Mapping[str, tuple[str, ...]]:
    """Map each word and phrase to the families that have it."""
    of_rules = load_words("worker.guardrails", "abuse.patterns")
    sections = dict(load_words("worker.guardrails", "families.patterns"))
    sections.update({one: of_rules[one] for one in _ABUSE_FAMILIES})
    found: dict[str, dict[str, None]] = {}
    for family, words in sections.items():
        for word in words:
            found.setdefault(word, {})[family] = None
    return {word: tuple(families) for word, families in found.items()}


@cache
def _phrase_lengths() -> Mapping[str, tuple[int, ...]]:
    """Map each first word of a phrase to the lengths of those that it begins."""
    found: dict[str, set[int]] = {}
    for phrase in _families():
        first, *others = phrase.split()
        if 0 < len(others) < _PHRASE_WORDS_MAX:
            found.setdefault(first, set()).add(1 + len(others))
    return {word: tuple(sorted(lengths)) for word, lengths in found.items()}


def meaning_of(words: Sequence[str]) -> NDArray[np.float32]:
    """Return the mean of the words' vectors and, behind it, what is highest of them in each dimension.

    Each half has length 1; zeros for no words. The mean tells what a text is about, and the peaks keep the one word
    that the others would outweigh.
    """
    vectors = load_word_vectors().read(" ".join(words))
    if not len(vectors):
        return np.zeros(2 * vectors.shape[1], np.float32)
    halves = (vectors.mean(0), vectors.max(0))
    return np.concatenate([half / (np.linalg.norm(half) or 1) for half in halves])


@cache
def load_judge(name: str) -> LinearJudge:
    """Load the judge whose weights ship as `<name>.weights.json.gz`, once per process."""
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
    written = resources.files("worker.guardrails").joinpath(f"{name}.weights.json.gz").read_bytes()
    shipped: dict[str, Any] = json.loads(gzip.decompress(written))
    return shipped


def _unpack(numbers: list[Any]) -> NDArray[np.float32]:
    return np.asarray(numbers, np.float32) / np.float32(WEIGHT_UNIT)
