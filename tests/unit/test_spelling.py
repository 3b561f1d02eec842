from __future__ import annotations

import pytest

from worker.models.word_vectors import load_word_vectors
from worker.store.spelling import Spelling

TEXTS = ["how is an overweight suitcase packed", "packing a suitcase", "your allowance for a cancelled flight"]


@pytest.fixture(scope="module")
def spelling() -> Spelling:
    return Spelling(TEXTS, load_word_vectors())


@pytest.mark.parametrize(
    ("typo", "meant"),
    [
        ("overwight", "overweight"),
        ("overweigt", "overweight"),
        ("overrweight", "overweight"),
        ("cancellled", "cancelled"),
        ("suitcsae", "suitcase"),
        ("siutcase", "suitcase"),
    ],
)
def test_a_word_that_is_a_letter_away_from_a_known_one_is_mended(spelling: Spelling, typo: str, meant: str) -> None:
    assert spelling.mend(typo) == meant


@pytest.mark.parametrize(
    "word", ["suitcase", "parking", "flight", "packed", "flit", "x7qoo1", "zzyzxqw", "", "\u00fcberwegght"]
)
def test_a_word_that_is_known_whole_or_near_none_stays(spelling: Spelling, word: str) -> None:
    assert spelling.mend(word) == word
