"""Train the intent classifier from the sentences beside this file: `python -m worker.models.local.train`.

Logistic regression by stochastic gradient descent, in a fixed order, so that the same sentences give the same weights.
"""

from __future__ import annotations

import json
import math
import random
import re
import sys
from importlib import resources
from itertools import product
from pathlib import Path

from worker.models.local.intent import LABELS, WEIGHT_UNIT, features_of

VARIANTS_MAX = 6
EPOCHS = 12
LEARNING_RATE = 0.12
DECAY = 0.000_4
SEED = 20_260_101
WEIGHT_MIN = 4
"""Features whose every weight is below this, in hundredths, do not ship."""

_CHOICE = re.compile(r"\[([^\[\]]*\|[^\[\]]*)\]")


def load_sentences() -> list[tuple[str, str]]:
    """Read every training sentence with its label; `[a|b]` gives up to VARIANTS_MAX variants."""
    folder = resources.files("worker.models.local") / "training"
    found: list[tuple[str, str]] = []
    for label in LABELS:
        for line in (folder / f"{label}.txt").read_text(encoding="utf-8").splitlines():
            if line and not line.startswith("#"):
                found.extend((variant, label) for variant in expand(line))
    return found + _dressed(found)


# What people say around what they want. Half of the sentences are learnt a second time in such a dress, so that "I'm
# flying to Lisbon on Friday" weighs for a topic no more than it should.
_OPENINGS: dict[str, tuple[str, ...]] = {
    "airline": (
        "Hi there,",
        "hello, quick question.",
        "I'm flying from Denver to Boston on Friday.",
        "Good morning team,",
        "we have a flight with you next week and",
        "Hey, hope you can help.",
        "I'm at the airport.",
        "I booked online yesterday.",
        "my wife and I are flying tomorrow,",
        "for a trip to Mexico in June:",
    ),
    "other": ("Hi there,", "hello, quick question.", "Hey, hope you can help.", "hi guys,", "Good morning,"),
}
_CLOSINGS = ("", "thanks", "please advise", "thank you!", "can you help?", "", "pls", "")


def _dressed(sentences: list[tuple[str, str]]) -> list[tuple[str, str]]:
    pick = random.Random(SEED)  # noqa: S311 - a fixed choice, not a secret
    dressed = []
    for text, label in sentences[::2]:
        opening = pick.choice(_OPENINGS["other" if label in {"off_topic", "smalltalk"} else "airline"])
        closing = pick.choice(_CLOSINGS)
        if label != "smalltalk":
            dressed.append((f"{opening} {text} {closing}".strip(), label))
    return dressed


def expand(line: str) -> list[str]:
    """Write out the choices of a line: all of them, or VARIANTS_MAX spread evenly."""
    parts = _CHOICE.split(line)
    options = [part.split("|") if index % 2 else [part] for index, part in enumerate(parts)]
    variants = ["".join(chosen) for chosen in product(*options)]
    step = max(1, len(variants) // VARIANTS_MAX)
    return variants[::step][:VARIANTS_MAX]


def train(sentences: list[tuple[str, str]]) -> dict[str, list[int]]:
    """Fit the weights, in hundredths, one per label and feature."""
    samples = [(sorted(features_of(text)), LABELS.index(label)) for text, label in sentences]
    share = _importance(samples)
    weights: dict[str, list[float]] = {}
    order = random.Random(SEED)  # noqa: S311 - a fixed order, not a secret
    for epoch in range(EPOCHS):
        order.shuffle(samples)
        rate = LEARNING_RATE / (1 + epoch * 0.3)
        for features, label in samples:
            _descend(weights, features, label, rate * share[label])
    rounded = {feature: [round(weight * WEIGHT_UNIT) for weight in row] for feature, row in sorted(weights.items())}
    return {feature: row for feature, row in rounded.items() if max(map(abs, row)) >= WEIGHT_MIN}


def _importance(samples: list[tuple[list[str], int]]) -> list[float]:
    """Weigh labels so that a label with many sentences does not crowd out one with few."""
    counts = [sum(label == index for _, label in samples) for index in range(len(LABELS))]
    return [math.sqrt(len(samples) / (len(LABELS) * count)) for count in counts]


def _descend(weights: dict[str, list[float]], features: list[str], label: int, rate: float) -> None:
    rows = [weights.setdefault(feature, [0.0] * len(LABELS)) for feature in features]
    scores = [math.fsum(row[index] for row in rows) for index in range(len(LABELS))]
    top = max(scores)
    exponents = [math.exp(score - top) for score in scores]
    total = math.fsum(exponents)
    for index in range(len(LABELS)):
        gradient = exponents[index] / total - (index == label)
        for row in rows:
            row[index] -= rate * (gradient + DECAY * row[index])


def main() -> None:
    """Train, and write `weights.json` beside this file."""
    sentences = load_sentences()
    weights = train(sentences)
    lines = [f"{json.dumps(feature, ensure_ascii=False)}: {json.dumps(row)}" for feature, row in weights.items()]
    written = json.dumps({"labels": LABELS})[:-1] + ', "weights": {\n' + ",\n".join(lines) + "\n}}\n"
    Path(__file__).with_name("weights.json").write_text(written, encoding="utf-8")
    sys.stdout.write(f"{len(sentences)} sentences, {len(weights)} features, {len(written) // 1024} KiB\n")


if __name__ == "__main__":
    main()
