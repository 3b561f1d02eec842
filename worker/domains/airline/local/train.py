"""Train the intent classifier from the sentences beside this file: `python -m worker.domains.airline.local.train`.

Logistic regression by stochastic gradient descent, in a fixed order, so that the same sentences give the same weights.
"""

from __future__ import annotations

import json
import math
import random
import re
import sys
from importlib import resources
from itertools import count
from pathlib import Path

from worker.domains.airline.local.reading.intent import LABELS, WEIGHT_UNIT, features_of

VARIANTS_MAX = 6
"""Sentences made of a line with choices; more when one of its choices alone has more."""
EPOCHS = 8
LEARNING_RATE = 0.12
DECAY = 0.000_4
ROUNDS_MAX = 8
"""Rounds through the longest choice after which the combinations found are enough."""
SEED = 20_260_101
WEIGHT_MIN = 4
"""Features whose every weight is below this, in hundredths, do not ship."""

_CHOICE = re.compile(r"\[([^\[\]]*\|[^\[\]]*)\]")


def load_sentences() -> list[tuple[str, str]]:
    """Read every training sentence with its label: those of a label stand in the folder of its name."""
    folder = resources.files("worker.domains.airline.local") / "training"
    found: list[tuple[str, str]] = []
    for label in LABELS:
        for file in sorted((folder / label).iterdir(), key=lambda file: file.name):
            for line in file.read_text(encoding="utf-8").splitlines():
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
    """Write out the choices of a line: each choice once at least, and up to VARIANTS_MAX combinations of them."""
    parts = _CHOICE.split(line)
    options = [part.split("|") if index % 2 else [part] for index, part in enumerate(parts)]
    longest = max(map(len, options))
    wanted = min(math.prod(map(len, options)), max(longest, VARIANTS_MAX))
    variants: dict[str, None] = {}
    for number in count():
        # Going round once more, every second slot moves on by one, so that other combinations come up.
        rounds = number // longest
        chosen = [some[(number + rounds * place) % len(some)] for place, some in enumerate(options)]
        variants["".join(chosen)] = None
        if len(variants) >= wanted or number > ROUNDS_MAX * longest:
            return list(variants)
    raise AssertionError


def train(sentences: list[tuple[str, str]]) -> dict[str, list[int]]:
    """Fit the weights, in hundredths, one per label and feature."""
    weights: dict[str, list[float]] = {}
    samples = [
        (
            [weights.setdefault(feature, [0.0] * len(LABELS)) for feature in sorted(features_of(text))],
            LABELS.index(label),
        )
        for text, label in sentences
    ]
    share = _importance([label for _, label in samples])
    order = random.Random(SEED)  # noqa: S311 - a fixed order, not a secret
    for epoch in range(EPOCHS):
        order.shuffle(samples)
        rate = LEARNING_RATE / (1 + epoch * 0.3)
        for rows, label in samples:
            _descend(rows, label, rate * share[label])
    rounded = {feature: [round(weight * WEIGHT_UNIT) for weight in row] for feature, row in sorted(weights.items())}
    return {feature: row for feature, row in rounded.items() if max(map(abs, row)) >= WEIGHT_MIN}


def _importance(labels: list[int]) -> list[float]:
    """Weigh labels so that a label with many sentences does not crowd out one with few."""
    counts = [labels.count(index) for index in range(len(LABELS))]
    return [math.sqrt(len(labels) / (len(LABELS) * count)) for count in counts]


def _descend(rows: list[list[float]], label: int, rate: float) -> None:
    """Move the weights of one sentence's features, a row each with one weight per label, down its gradient."""
    scores = [math.fsum(column) for column in zip(*rows, strict=True)]
    top = max(scores)
    exponents = [math.exp(score - top) for score in scores]
    total = math.fsum(exponents)
    steps = [rate * (exponents[index] / total - (index == label)) for index in range(len(LABELS))]
    kept = 1 - rate * DECAY
    for row in rows:
        row[:] = [weight * kept - step for weight, step in zip(row, steps, strict=True)]


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
