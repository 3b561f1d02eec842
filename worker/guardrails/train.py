"""Train the judges of abuse and of emergencies from the sentences in `training/`: logistic regression (scikit-learn).

Only a developer needs this: the weights ship. Called by `python -m worker.domains.airline.local.train`, which hands in
the ordinary sentences of its own trade.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags, hstack
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from worker.conversation.vocabulary import EmergencyKind
from worker.guardrails.learned import MEANING_SCALE, WEIGHT_UNIT, WORDS_SCALE, features_of, meaning_of, read_words
from worker.guardrails.pii import normalise
from worker.models.templates import expand

HARMLESS = "none"
JUDGES: Mapping[str, tuple[str, ...]] = {
    "abuse": (HARMLESS, "insult", "threat", "harassment", "hate"),
    "emergency": (HARMLESS, *get_args(EmergencyKind)),
}
"""The labels of each judge; sentences of a label stand in `training/<judge>/<label>.txt`."""

OTHERS_VARIANTS_MAX = 3
"""Of a line of the other judge, so many sentences are learned as harmless to this one."""
INVERSE_REGULARIZATION = 3.0
ROUNDS_MAX = 300
TOLERANCE = 1e-3
LINES_MIN = 2
"""Lines that must have a feature for it to be learned: what stands in one alone says nothing of others."""
FOLDS = 5
FALSE_ALARMS: Mapping[str, float] = {"abuse": 0.03, "emergency": 0.04}
"""Share of harmless lines that may be flagged where the threshold is set. They were written to mislead, so of what
customers write it is a far smaller one."""


class Sentence(NamedTuple):
    """A training sentence: its words, its label, and the line it is of; lines are never split between folds."""

    words: tuple[str, ...]
    label: str
    line: int
    is_own: bool
    """Whether it stands in the judge's own files."""


@dataclass(frozen=True)
class CrossValidated:
    """How a judge does on lines that it did not learn, at its threshold."""

    threshold: float
    recall: float
    ordinary_flagged: float
    """Share of the ordinary sentences that are flagged."""


def load_sentences(judge: str, ordinary: Sequence[str]) -> list[Sentence]:
    """Read what a judge learns from: its own files, and the other's and `ordinary` as harmless."""
    texts: list[tuple[str, str, int, bool]] = []
    line = 0
    for name, labels in JUDGES.items():
        for label in labels:
            for written in _lines(name, label):
                line += 1
                variants = expand(written) if name == judge else expand(written)[:OTHERS_VARIANTS_MAX]
                texts += [(one, label if name == judge else HARMLESS, line, name == judge) for one in variants]
    texts += [(text, HARMLESS, line + at, False) for at, text in enumerate(ordinary, start=1)]
    return [Sentence(tuple(read_words(normalise(text))), label, place, is_own) for text, label, place, is_own in texts]


def _lines(judge: str, label: str) -> Iterator[str]:
    file = resources.files("worker.guardrails") / "training" / judge / f"{label}.txt"
    for line in file.read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            yield line.strip()


def train(judge: str, ordinary: Sequence[str]) -> tuple[dict[str, Any], CrossValidated]:
    """Fit a judge; return what ships, in hundredths, and how it does on lines that it did not learn."""
    sentences = load_sentences(judge, ordinary)
    names, matrix = _matrix(sentences)
    labels = np.array([JUDGES[judge].index(one.label) for one in sentences])
    checked = _cross_validate(judge, sentences, matrix, labels)
    model = _fit(matrix, labels)
    scales = np.repeat([WORDS_SCALE, MEANING_SCALE], [len(names), model.coef_.shape[1] - len(names)])
    columns = (model.coef_.T * scales[:, None] * WEIGHT_UNIT).round().astype(int)
    shipped = {
        "labels": JUDGES[judge],
        "threshold": checked.threshold,
        "fingerprint": fingerprint_of(judge, sentences),
        "bias": (model.intercept_ * WEIGHT_UNIT).round().astype(int).tolist(),
        "meaning": columns[len(names) :].tolist(),
        "weights": dict(zip(names, columns[: len(names)].tolist(), strict=True)),
    }
    return shipped, checked


def _matrix(sentences: Sequence[Sentence]) -> tuple[list[str], csr_matrix]:
    """Return the names of the learned features and the features of all sentences: words and letters, then meaning."""
    seen = {(feature, one.line) for one in sentences for feature in features_of(one.words)}
    counts = Counter(feature for feature, _ in seen)
    known = {feature for feature, count in counts.items() if count >= LINES_MIN}
    vectorizer = DictVectorizer()
    found = vectorizer.fit_transform(dict.fromkeys(features_of(one.words) & known, 1.0) for one in sentences)
    lengths = np.sqrt(np.maximum(np.asarray(found.sum(1)).ravel(), 1))
    meaning = np.array([meaning_of(one.words) for one in sentences])
    parts = [diags(WORDS_SCALE / lengths) @ found, csr_matrix(meaning * MEANING_SCALE)]
    return vectorizer.get_feature_names_out().tolist(), csr_matrix(hstack(parts))


def _fit(matrix: csr_matrix, labels: NDArray[np.int64]) -> LogisticRegression:
    return LogisticRegression(C=INVERSE_REGULARIZATION, max_iter=ROUNDS_MAX, tol=TOLERANCE).fit(matrix, labels)


def _cross_validate(
    judge: str, sentences: Sequence[Sentence], matrix: csr_matrix, labels: NDArray[np.int64]
) -> CrossValidated:
    """Judge each line by a model that learned from others, and set the threshold by the false alarms allowed."""
    lines = np.array([one.line for one in sentences])
    own = np.array([one.is_own for one in sentences])
    odds = np.zeros(len(sentences))
    for learned, held in GroupKFold(FOLDS).split(matrix, labels, lines):
        odds[held] = 1 - _fit(matrix[learned], labels[learned]).predict_proba(matrix[held])[:, 0]
    grave = labels > 0
    threshold = round(float(np.quantile(odds[own & ~grave], 1 - FALSE_ALARMS[judge])), 2)
    flagged = odds >= threshold
    return CrossValidated(threshold, float(flagged[grave].mean()), float(flagged[~own].mean()))


def fingerprint_of(judge: str, sentences: Sequence[Sentence]) -> str:
    """Give a digest of all that weights depend on: they are stale when it differs from the one that they ship with."""
    learnt = [[*sorted(features_of(one.words)), one.label, one.line] for one in sentences]
    chosen = [INVERSE_REGULARIZATION, LINES_MIN, OTHERS_VARIANTS_MAX, WORDS_SCALE, MEANING_SCALE, FALSE_ALARMS[judge]]
    return hashlib.sha256(json.dumps([learnt, chosen, JUDGES[judge]]).encode()).hexdigest()


def write(judge: str, ordinary: Sequence[str]) -> str:
    """Train a judge, write `<judge>.weights.json` beside this file, and return a line that says what came of it."""
    shipped, checked = train(judge, ordinary)
    weights = shipped.pop("weights")
    lines = [f"{json.dumps(feature, ensure_ascii=False)}: {json.dumps(row)}" for feature, row in weights.items()]
    written = json.dumps(shipped)[:-1] + ', "weights": {\n' + ",\n".join(lines) + "\n}}\n"
    Path(__file__).with_name(f"{judge}.weights.json").write_text(written, encoding="utf-8")
    return (
        f"{judge}: {len(weights)} features, {len(written) // 1024} KiB; on lines not learned recall "
        f"{checked.recall:.2f} at {FALSE_ALARMS[judge]:.0%} false alarms (threshold {checked.threshold}), "
        f"{checked.ordinary_flagged:.2%} of ordinary sentences"
    )
