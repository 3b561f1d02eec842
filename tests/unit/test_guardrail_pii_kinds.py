"""Test secrets as people write them: telephone numbers of other countries, and six letters that are no code."""

from __future__ import annotations

import pytest

from worker.conversation.vault import Vault
from worker.guardrails.pii import mask_text, normalise

PHONES = [
    *("call 0049 30 901820 tomorrow", "00442079460958 is mine", "0033612345678", "my number: 0031 6 12345678"),
    *("on 0091-98765-43210", "00 49 151 23456789", "tel 00353 87 123 4567", "whatsapp 00971501234567"),
    *("07911 123456", "07911123456", "020 7946 0958", "(020) 7946 0958", "030 901820", "0151/23456789"),
    *("06 12 34 56 78", "06.12.34.56.78", "0412 345 678", "098765 43210", "010-1234-5678", "0532 123 45 67"),
    *("callme07911123456please", "mynumberis07911123456", "phone:07911123456", "reachmeat+14155550132ok"),
    *("on0416123456", "call4155550132", "4155550132call me", "ring020 7946 0958", "t:+49(0)30901820"),
]
NO_PHONES = [
    *("order 0049301234567890123", "ticket 0162345678901", "flight LF0012", "00:45 to 02:30", "row 007"),
    *("my bag tag 0001234567", "on 06.12.2026 at 07:45", "from 01/02/2026 to 03/04/2026", "invoice 0012345678"),
    *("membership 0123456789", "account 0044123456", "seats 01 02 03 04", "version 0.12.34.56"),
]
CODES = ["XKQZPT", "my code is XKQZPT", "confirmation XKQZPT", "B1ZFLX", "tpw583"]
NO_CODES = [
    *("qwerty", "asdfgh", "sdfsdf", "zxcvbn", "hgfkjh", "jkjkjk", "aaaaaa", "hahaha", "hmmmmm", "argghh", "grrrrr"),
    *("HELPME", "THANKS", "PLEASE", "XXXXXX", "ASAPPP", "WHERE?", "refund"),
]
SPELT_NAMES = [
    *("O-K-A-F-O-R", "o k a f o r", "my last name is O-K-A-F-O-R", "surname O.K.A.F.O.R.", "it's spelt R-I-V-E-R-A"),
    *(
        "last name: S-C-H-W-Z-K",
        "surname is K-O-W-A-L-C-Z-Y-K",
        "family name spelt B-A-K-K-E-R",
        "booking under R-I-V-E-R-A",
    ),
    *("W-H-I-T-E-H-O-U-S-E", "my surname is spelled like this: M-E-N-D-E-Z"),
]
SPELT_CODES = [
    *("X-K-Q-Z-P-T", "x k q z p t", "confirmation O-K-A-F-O-R", "my code is T-A-M-I-N-O, thanks", "B-1-Z-F-L-X"),
    *("last name D-E-M-O-4-2", "booking reference and surname: X-K-Q-Z-P-T", "last name Okafor, X-K-Q-Z-P-T"),
]


def kinds_in(text: str) -> tuple[str, ...]:
    return mask_text(normalise(text), Vault()).types


@pytest.mark.parametrize("text", PHONES)
def test_a_telephone_number_is_found_however_it_is_dialled(text: str) -> None:
    assert kinds_in(text) == ("PHONE",)


@pytest.mark.parametrize("text", CODES)
def test_six_characters_that_can_be_a_confirmation_number_are_one(text: str) -> None:
    assert kinds_in(text) == ("CONFIRMATION_NUMBER",)


@pytest.mark.parametrize("text", [*NO_PHONES, *NO_CODES])
def test_what_only_looks_like_one_stays(text: str) -> None:
    assert kinds_in(text) == ()


@pytest.mark.parametrize("text", SPELT_NAMES)
def test_a_name_that_is_spelt_is_no_confirmation_number(text: str) -> None:
    assert kinds_in(text) == ()


@pytest.mark.parametrize("text", SPELT_CODES)
def test_a_confirmation_number_that_is_spelt_is_one(text: str) -> None:
    assert kinds_in(text) == ("CONFIRMATION_NUMBER",)
