"""The classifier that tells from a question's words and meaning which section it asks for."""

from __future__ import annotations

import numpy as np
import pytest

from worker.store.article_telling import BUCKETS, HashedWords, SectionClassifier

TEXTS = ("may i bring a harp", "harp on board", "is the harp free", "who repairs kites", "kite strings")
NO_MEANING = np.zeros((len(TEXTS), 4), np.float32)
OWNERS = np.array([0, 0, 0, 1, 1], np.intp)
"""Of one section, and of none."""


def test_a_question_in_the_words_of_a_section_scores_highest_for_it() -> None:
    classifier = SectionClassifier(TEXTS, NO_MEANING, OWNERS, 1)

    of_harps = classifier.scores("my harp on a plane", NO_MEANING[0])
    of_kites = classifier.scores("who sells kites", NO_MEANING[0])

    assert of_harps[0] > of_harps[1]
    assert of_kites[1] > of_kites[0]


def test_meaning_tells_where_no_word_is_known() -> None:
    meanings = np.eye(2, 4, dtype=np.float32)[OWNERS]
    classifier = SectionClassifier(TEXTS, meanings, OWNERS, 1)

    scores = classifier.scores("zither", meanings[0])

    assert scores[0] > scores[1]


def test_hashed_words_have_length_one_and_unknown_words_none() -> None:
    words = HashedWords(TEXTS)

    assert words.vectors.shape == (len(TEXTS), BUCKETS)
    assert np.linalg.norm(words.write("harp on board")) == pytest.approx(1, abs=1e-5)
    assert not words.write("zither").any()


def test_texts_that_share_more_words_are_more_alike_in_hashed_words() -> None:
    words = HashedWords(TEXTS)
    asked = words.write("may i bring a harp")

    near, far = asked @ words.write("may i bring a kite"), asked @ words.write("who repairs kites")

    assert near > far


def test_without_any_phrasing_nothing_is_told() -> None:
    classifier = SectionClassifier((), np.zeros((0, 4), np.float32), np.zeros(0, np.intp), 2)

    assert not classifier.scores("may i bring a harp", np.ones(4, np.float32)).any()
