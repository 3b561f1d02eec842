"""Say what a message is about: a linear classifier over words, word pairs, word stems and cues, with shipped weights."""

from __future__ import annotations

import json
import math
import re
from functools import cache, lru_cache
from importlib import resources
from typing import Literal, NamedTuple, cast

from worker.models.local.cues import cues_in

Label = Literal["faq", "booking", "escalation", "off_topic", "smalltalk"]
LABELS: tuple[Label, ...] = ("faq", "booking", "escalation", "off_topic", "smalltalk")
WEIGHT_UNIT = 100
"""Weights are shipped as whole hundredths, so that a retrained model can be compared without rounding doubts."""

_CACHED_TEXTS_MAX = 2_048
_STEM_CHARACTERS = 5


class Intent(NamedTuple):
    """Hold what a message is most likely about, and the probability the classifier gives that."""

    label: Label
    confidence: float


_PLACEHOLDER = re.compile(r"\[([A-Z_]+?)(?:_\d+)?\]")
_HANDLE = re.compile(r"@\w+")
_URL = re.compile(r"https?://\S+|www\.\S+")
_PLACEHOLDER_WORDS = {"CONFIRMATION_NUMBER": "<confirmation>", "CARD_NUMBER": "<card>"}
_WORD = re.compile(r"<\w+>|[a-z]+(?:'[a-z]+)?|\d+|[?!$]")


def flatten(text: str) -> str:
    """Bring a message into the form that cues and features read: lower case, single spaces, placeholders as `<kind>`."""
    named = _PLACEHOLDER.sub(lambda match: _PLACEHOLDER_WORDS.get(match[1], f"<{match[1].lower()}>"), text)
    named = _HANDLE.sub(" ", _URL.sub(" ", named)).replace("\u2019", "'").replace("&amp;", "&")
    return " ".join(named.lower().split())


def features_of(text: str) -> frozenset[str]:
    """List a message's features: its words, pairs of neighbours, stems of five letters, and cues."""
    flat = flatten(text)
    words = ["<num>" if word.isdigit() else word.replace("'", "") for word in _WORD.findall(flat)]
    found = {"bias"}
    found.update(f"w:{word}" for word in words)
    found.update(f"s:{word[:_STEM_CHARACTERS]}" for word in words if len(word) > _STEM_CHARACTERS)
    found.update(f"b:{left} {right}" for left, right in zip(["^", *words], [*words, "$"], strict=True))
    found.update(f"c:{cue}" for cue in cues_in(flat))
    return frozenset(found)


@lru_cache(maxsize=_CACHED_TEXTS_MAX)
def classify(text: str) -> Intent:
    """Classify one message. Texts are masked before any model sees them, so the cache holds no secret."""
    weights = load_weights()
    scores = [0.0] * len(LABELS)
    for feature in features_of(text):
        row = weights.get(feature)
        if row is not None:
            for index, weight in enumerate(row):
                scores[index] += weight
    top = max(scores)
    exponents = [math.exp((score - top) / WEIGHT_UNIT) for score in scores]
    best = max(range(len(LABELS)), key=exponents.__getitem__)
    return Intent(LABELS[best], exponents[best] / sum(exponents))


@cache
def load_weights() -> dict[str, list[int]]:
    """Read the shipped weights: feature to one weight per label, in hundredths."""
    written = resources.files("worker.models.local").joinpath("weights.json").read_text(encoding="utf-8")
    return cast("dict[str, list[int]]", json.loads(written)["weights"])
