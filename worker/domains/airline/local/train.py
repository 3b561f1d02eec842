"""Train the intent classifier from the sentences beside this file: `python -m worker.domains.airline.local.train`.

Logistic regression (scikit-learn), which only a developer needs: the weights ship. The same sentences give the same
weights, but for the last digit where a machine adds up in another order.
"""

from __future__ import annotations

import hashlib
import json
import math
import random
import sys
from collections import Counter
from importlib import resources
from pathlib import Path

from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression

from worker.domains.airline.local.reading.intent import LABELS, WEIGHT_UNIT, features_of
from worker.guardrails import train as guardrails
from worker.models.templates import expand

INVERSE_REGULARIZATION = 3.0
"""Of 0.3, 1, 3 and 10 the one that classifies sentences it was not trained on best, at a confidence that is earned."""
ROUNDS_MAX = 2_000
SEED = 20_260_101
WEIGHT_MIN = 4
"""Features whose every weight is below this, in hundredths, do not ship."""


def load_sentences(*, dressed: bool = True) -> list[tuple[str, str]]:
    """Read every training sentence with its label: those of a label stand in the folder of its name.

    `dressed` adds half of them a second time with what people say around what they want.
    """
    folder = resources.files("worker.domains.airline.local") / "training"
    found: list[tuple[str, str]] = []
    for label in LABELS:
        for file in sorted((folder / label).iterdir(), key=lambda file: file.name):
            for line in file.read_text(encoding="utf-8").splitlines():
                if line and not line.startswith("#"):
                    found.extend((variant, label) for variant in expand(line))
    return found + _dressed(found) if dressed else found


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


def train(sentences: list[tuple[str, str]]) -> dict[str, list[int]]:
    """Fit the weights, in hundredths, one per label and feature.

    Labels are weighed by the root of their rarity, so that one with many sentences does not crowd out one with few.
    """
    vectorizer = DictVectorizer()
    matrix = vectorizer.fit_transform(dict.fromkeys(features_of(text), 1) for text, _ in sentences)
    labels = [LABELS.index(label) for _, label in sentences]
    counts = Counter(labels)
    share = {label: math.sqrt(len(labels) / (len(counts) * count)) for label, count in counts.items()}
    # The features have a bias of their own.
    model = LogisticRegression(C=INVERSE_REGULARIZATION, class_weight=share, fit_intercept=False, max_iter=ROUNDS_MAX)
    columns = (model.fit(matrix, labels).coef_.T * WEIGHT_UNIT).round().astype(int)
    rows = dict(zip(vectorizer.get_feature_names_out().tolist(), columns.tolist(), strict=True))
    return {feature: row for feature, row in sorted(rows.items()) if max(map(abs, row)) >= WEIGHT_MIN}


def fingerprint_of(sentences: list[tuple[str, str]]) -> str:
    """Give a digest of all that weights depend on: they are stale when it differs from the one that they ship with."""
    learnt = [[*sorted(features_of(text)), label] for text, label in sentences]
    written = json.dumps([learnt, INVERSE_REGULARIZATION, WEIGHT_MIN, LABELS])
    return hashlib.sha256(written.encode()).hexdigest()


def main() -> None:
    """Train the intent classifier, and the judges of abuse and emergencies; write their weights beside their code."""
    sentences = load_sentences()
    weights = train(sentences)
    lines = [f"{json.dumps(feature, ensure_ascii=False)}: {json.dumps(row)}" for feature, row in weights.items()]
    about = {"labels": LABELS, "fingerprint": fingerprint_of(sentences)}
    written = json.dumps(about)[:-1] + ', "weights": {\n' + ",\n".join(lines) + "\n}}\n"
    Path(__file__).with_name("weights.json").write_text(written, encoding="utf-8")
    sys.stdout.write(f"{len(sentences)} sentences, {len(weights)} features, {len(written) // 1024} KiB\n")
    for judge in guardrails.JUDGES:
        sys.stdout.write(f"{guardrails.write(judge, ordinary_sentences())}\n")


def ordinary_sentences() -> list[str]:
    """Return what customers of an airline write when nobody is abused or in danger, for the judges of both."""
    return [text for text, _ in load_sentences(dressed=False)]


if __name__ == "__main__":
    main()
