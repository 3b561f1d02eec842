"""Train the judges of abuse and of emergencies from the sentences in `training/`: logistic regression (scikit-learn).

Only a developer needs this: the weights ship. Called by `python -m worker.domains.airline.local.train`, which hands in
the ordinary sentences of its own trade.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import math
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
    "abuse": ("insult", "threat", "harassment", "hate"),
    "emergency": get_args(EmergencyKind),
}
"""The labels of each judge, whose sentences stand in `training/<judge>/<label>.txt`; harmless ones in `none.txt`."""

OTHERS_VARIANTS_MAX = 3
"""Of a line of the other judge, so many sentences are learned as harmless to this one."""
INVERSE_REGULARIZATION = 12.0
ROUNDS_MAX = 300
TOLERANCE = 1e-3
LINES_MIN = 2
"""Lines that must have a feature for it to be learned: what stands in one alone says nothing of others."""
FEATURES_MAX = 16_000
"""Features that ship, those of most weight; with 8,000 one message in a hundred that is found is missed."""
OWN_WEIGHT = 6
"""How much more a sentence of a judge's own files weighs than an ordinary one: there are many of these, all easy."""
KIND_WEIGHT_MIN = 15
"""Weights for a label that are below this, in hundredths, ship as zero."""
FOLDS = 5
FALSE_ALARMS: Mapping[str, float] = {"abuse": 0.03, "emergency": 0.06}
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
    """Read what a judge learns from: its own files, and the other's and `ordinary` as harmless.

    The judge of abuse learns a sentence of each line with an opener as well: a word that few lines begin with would
    else weigh what those lines mean. To the judge of emergencies such words say something: "please", "wait", "help".
    """
    openers = list(_lines("openers.txt")) if judge == "abuse" else []
    texts: list[tuple[str, str, int, bool]] = []
    line = 0
    for name, labels in JUDGES.items():
        for label in (HARMLESS, *labels):
            for written in _lines(name, f"{label}.txt"):
                line += 1
                variants = expand(written) if name == judge else expand(written)[:OTHERS_VARIANTS_MAX]
                variants += [f"{openers[line % len(openers)]} {variants[0]}"] if openers else []
                texts += [(one, label if name == judge else HARMLESS, line, name == judge) for one in variants]
    for place, text in enumerate(ordinary, start=line + 1):
        opened = [f"{openers[place % len(openers)]} {text}"] if openers else []
        texts += [(one, HARMLESS, place, False) for one in (text, *opened)]
    return [Sentence(tuple(read_words(normalise(text))), label, place, is_own) for text, label, place, is_own in texts]


def _lines(*place: str) -> Iterator[str]:
    file = resources.files("worker.guardrails").joinpath("training", *place)
    for line in file.read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            yield line.strip()


def train(judge: str, ordinary: Sequence[str]) -> tuple[dict[str, Any], CrossValidated]:
    """Fit a judge; return what ships, in hundredths, and how it does on lines that it did not learn."""
    sentences = load_sentences(judge, ordinary)
    names, texts = _read(sentences)
    grave = np.array([one.label != HARMLESS for one in sentences])
    weights = _weights_of(sentences)
    checked = _cross_validate(judge, sentences, texts, grave)
    columns, model = _fit(texts, grave, weights)
    labels = [JUDGES[judge].index(one.label) for one in sentences if one.label != HARMLESS]
    kinds = LogisticRegression(C=INVERSE_REGULARIZATION, max_iter=ROUNDS_MAX, tol=TOLERANCE)
    kinds.fit(_scale(texts, columns)[grave], labels, sample_weight=weights[grave])
    kept = len(columns)
    scales = np.repeat([WORDS_SCALE, MEANING_SCALE], [kept, texts.meaning.shape[1]])
    shipped = np.vstack([model.coef_, kinds.coef_]).T * scales[:, None] * WEIGHT_UNIT
    shipped[:kept, 1:][np.abs(shipped[:kept, 1:]) < KIND_WEIGHT_MIN] = 0
    rows = shipped.round().astype(int).tolist()
    bias = np.concatenate([model.intercept_, kinds.intercept_]) * WEIGHT_UNIT
    return {
        "labels": JUDGES[judge],
        "threshold": checked.threshold,
        "fingerprint": fingerprint_of(judge, sentences),
        "bias": bias.round().astype(int).tolist(),
        "meaning": rows[kept:],
        "weights": {names[column]: row for column, row in zip(columns, rows[:kept], strict=True)},
    }, checked


class _Texts(NamedTuple):
    """Features of sentences: which words and families each has, as ones, and what it means."""

    found: csr_matrix
    meaning: NDArray[np.float32]


def _read(sentences: Sequence[Sentence]) -> tuple[list[str], _Texts]:
    """Return the names of the features of two lines or more, and the features of all sentences."""
    features = [features_of(one.words) for one in sentences]
    seen = {(feature, one.line) for one, those in zip(sentences, features, strict=True) for feature in those}
    counts = Counter(feature for feature, _ in seen)
    known = {feature for feature, count in counts.items() if count >= LINES_MIN}
    vectorizer = DictVectorizer()
    found = vectorizer.fit_transform(dict.fromkeys(those & known, 1.0) for those in features)
    meaning = np.array([meaning_of(one.words) for one in sentences])
    return vectorizer.get_feature_names_out().tolist(), _Texts(csr_matrix(found), meaning)


def _weights_of(sentences: Sequence[Sentence]) -> NDArray[np.float64]:
    """Weigh a sentence less the more its line has of them, for they say nearly the same, and own ones more.

    The mean is 1.
    """
    counts = Counter(one.line for one in sentences)
    weights = np.array([(OWN_WEIGHT if one.is_own else 1) / math.sqrt(counts[one.line]) for one in sentences])
    weights /= weights.mean()
    return weights


def _scale(texts: _Texts, columns: NDArray[np.int64]) -> csr_matrix:
    """Give the features in `columns` and the meaning the lengths that the judge gives them."""
    found = texts.found[:, columns]
    lengths = np.sqrt(np.maximum(np.asarray(found.sum(1)).ravel(), 1))
    return csr_matrix(hstack([diags(WORDS_SCALE / lengths) @ found, csr_matrix(texts.meaning * MEANING_SCALE)]))


def _fit(
    texts: _Texts, grave: NDArray[np.bool_], weights: NDArray[np.float64]
) -> tuple[NDArray[np.int64], LogisticRegression]:
    """Fit what tells harmless from grave, once with all features, and again with those of most weight."""
    columns = np.arange(texts.found.shape[1])
    first = _new_model().fit(_scale(texts, columns), grave, sample_weight=weights)
    heavy = np.argsort(-np.abs(first.coef_[0, : len(columns)]), kind="stable")[:FEATURES_MAX]
    columns = np.sort(heavy)
    return columns, _new_model().fit(_scale(texts, columns), grave, sample_weight=weights)


def _new_model() -> LogisticRegression:
    return LogisticRegression(
        C=INVERSE_REGULARIZATION, max_iter=ROUNDS_MAX, tol=TOLERANCE, solver="liblinear", random_state=0
    )


def _cross_validate(
    judge: str, sentences: Sequence[Sentence], texts: _Texts, grave: NDArray[np.bool_]
) -> CrossValidated:
    """Judge each line by a model that learned from others, and set the threshold by the false alarms allowed."""
    lines = np.array([one.line for one in sentences])
    own = np.array([one.is_own for one in sentences])
    weights = _weights_of(sentences)
    odds = np.zeros(len(sentences))
    for learned, held in GroupKFold(FOLDS).split(lines, groups=lines):
        part = _Texts(texts.found[learned], texts.meaning[learned])
        columns, model = _fit(part, grave[learned], weights[learned])
        odds[held] = model.predict_proba(_scale(_Texts(texts.found[held], texts.meaning[held]), columns))[:, 1]
    threshold = round(float(np.quantile(odds[own & ~grave], 1 - FALSE_ALARMS[judge])), 2)
    flagged = odds >= threshold
    return CrossValidated(threshold, float(flagged[grave].mean()), float(flagged[~own].mean()))


def fingerprint_of(judge: str, sentences: Sequence[Sentence]) -> str:
    """Give a digest of all that weights depend on: they are stale when it differs from the one that they ship with."""
    learnt = [[*sorted(features_of(one.words)), one.label, one.line] for one in sentences]
    chosen = [INVERSE_REGULARIZATION, LINES_MIN, FEATURES_MAX, KIND_WEIGHT_MIN, OTHERS_VARIANTS_MAX]
    chosen += [WORDS_SCALE, MEANING_SCALE, len(meaning_of(())), OWN_WEIGHT, FALSE_ALARMS[judge]]
    return hashlib.sha256(json.dumps([learnt, chosen, JUDGES[judge]]).encode()).hexdigest()


def write(judge: str, ordinary: Sequence[str]) -> str:
    """Train a judge, write `<judge>.weights.json.gz` beside this file, and return a line that says what came of it."""
    shipped, checked = train(judge, ordinary)
    # A time of writing in it would make other bytes of the same weights.
    written = gzip.compress(json.dumps(shipped).encode(), mtime=0)
    Path(__file__).with_name(f"{judge}.weights.json.gz").write_bytes(written)
    return (
        f"{judge}: {len(shipped['weights'])} features, {len(written) // 1024} KiB; on lines not learned recall "
        f"{checked.recall:.2f} at {FALSE_ALARMS[judge]:.0%} false alarms (threshold {checked.threshold}), "
        f"{checked.ordinary_flagged:.2%} of ordinary sentences"
    )
