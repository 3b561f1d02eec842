"""Plant known secrets among everything a text may hold, and look for them in what is left by brute force.

The oracle knows nothing of placeholders, normal forms or detectors: it takes the digits of the output in a row and asks
whether those of the secret are among them, and whether the secret stands anywhere as it was planted.
"""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.conversation.vault import Vault
from worker.guardrails.pii import mask_text, normalise

CARDS = [
    "4111111111111111",
    "5555555555554444",
    "378282246310005",
    "6011111111111117",
    "4222222222222",
    "2223003122003222",
]
SSNS = ["219459876", "536907281", "401563329"]
KEPT = {
    "PHONE": ("+14155550132", "call {}"),
    "EMAIL": ("ada@example.com", "mail {}"),
    "PASSPORT": ("C01X00T47", "passport {}"),
    "CONFIRMATION_NUMBER": ("R4MXT8", "pnr {}"),
}
SHAPES = [
    "[X]", "[]", "[PHONE_1]", "[CARD_NUMBER]", "[SSN]", "[VISA]", "[MY_SSN]", "{a}", "(x)", "<b>", "][", ")(", "[[",
    "]]",
    "\u200b", "\u2060", "\ufeff", "\u034f", "\u115f", "\ufe0f\u20e3", "\u00ad", "\n", "\r\n", "\n> ", "\t", "\u2028",
    " ", "  ", "-", " - ", ".", "/", "_", "__", ":", "*", "|", "~", " dash ", "\u2013", "\u3000",
]  # fmt: skip
"""What may stand between the digits of one number."""

WORDS = [
    "",
    "hello ",
    "[",
    "((",
    "VISA_",
    "[VISA_",
    "my visa is ",
    "[PHONE_1] ",
    "[CARD_NUMBER]",
    "[SSN] ",
    "\u200b",
    "\n",
    "x: ",
]
AFTER = ["", "]", "))", " thanks", "[CARD_NUMBER]", " [PHONE_1]", "_OK]", "\n\nbest", "!", " \U0001f44d"]
ZEROS = "0\uff10\u0660\U0001d7ce"


def digits_of(text: str) -> str:
    return "".join(str(unicodedata.digit(character)) for character in text if unicodedata.digit(character, -1) != -1)


def shows(output: str, secret: str) -> bool:
    """Say whether a secret's digits stand in a row in the output, whatever stands between them."""
    return secret in digits_of(output)


@st.composite
def written(draw: st.DrawFn, numbers: list[str], cuts: list[tuple[int, ...]]) -> tuple[str, str]:
    """Draw a number, and how somebody wrote it: in pieces, with the same mark between all, in any script's digits."""
    number = draw(st.sampled_from(numbers))
    zero = ord(draw(st.sampled_from(ZEROS)))
    mark = draw(st.sampled_from(["", *SHAPES]))
    pieces, rest = [], "".join(chr(zero + int(digit)) for digit in number)
    for size in draw(st.sampled_from(cuts)):
        pieces.append(rest[:size])
        rest = rest[size:]
    text = mark.join([piece for piece in [*pieces, rest] if piece])
    if draw(st.booleans()):
        text = f"[{text}]"
    return number, text


ANY_CUTS = [(), (4, 4, 4), (4, 6), (4, 12), (2,) * 8, (1,) * 18, (8,), (5, 5, 5)]


@given(written(CARDS, ANY_CUTS), st.sampled_from(WORDS), st.sampled_from(AFTER))
def test_no_planted_card_number_is_left_whatever_stands_around_and_between(
    planted: tuple[str, str], before: str, after: str
) -> None:
    number, text = planted
    vault = Vault({"[PHONE_1]": "+14155550132"})

    left = mask_text(normalise(f"{before}{text}{after}"), vault).text

    assert not shows(left, number)
    assert not shows(left, number[:12])
    assert vault.entries == {"[PHONE_1]": "+14155550132"}


@given(
    written(SSNS, [(), (3, 2), (3, 6), (1,) * 8]),
    st.sampled_from(
        ["ssn ", "MY_SSN_", "[MY_SSN_", "SSN: ", "ssn:\n", "social security number [", "ss# ", "[SSN] ssn "]
    ),
    st.sampled_from(AFTER),
)
def test_no_planted_social_security_number_is_left(planted: tuple[str, str], before: str, after: str) -> None:
    number, text = planted
    vault = Vault()

    left = mask_text(normalise(f"{before}{text}{after}"), vault).text

    assert not shows(left, number)
    assert vault.entries == {}


@given(
    st.sampled_from(sorted(KEPT)),
    st.sampled_from(
        ["{}", "[{}]", "{{{}}}", "<{}>", "(({}))", "[X {}]", "[{} Y]", "\u200b{}\u200b", "\n{}\n", "[[{}", "{}]]"]
    ),
    st.sampled_from(["", "hello ", "[PHONE_7] ", "[EMAIL_1]\n", "[CARD_NUMBER] "]),
    st.sampled_from(["", " thanks", " [PASSPORT_1]", "\n"]),
)
def test_no_planted_value_of_a_kept_kind_is_left(kind: str, wrapped: str, before: str, after: str) -> None:
    value, carrier = KEPT[kind]
    vault = Vault()

    left = mask_text(normalise(f"{before}{carrier.format(wrapped.format(value))}{after}"), vault).text

    assert value.lower() not in left.lower()
    assert set(vault.entries.values()) == {value}


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("[VISA_4111111111111111]", "4111111111111111"),
        ("[VISA_4111_1111_1111_1111]", "4111111111111111"),
        ("[MY_SSN_219459876]", "219459876"),
        ("[219-45-9876]", "219459876"),
        ("[MY_219-45-9876]", "219459876"),
        ("219[X]45[X]9876", "219459876"),
        ("[219]-[45]-[9876]", "219459876"),
        ("4111[X]111111111111", "4111111111111111"),
        ("4111[X1]1111[Y2]1111[Z3]1111", "4111111111111111"),
        ("4111[PHONE_1]1111[PHONE_1]11111111", "4111111111111111"),
        ("4111X1111Y1111Z1111", "4111111111111111"),
        ("4111 then 1111 and 1111 and last 1111", "4111111111111111"),
        ("[4][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1]", "4111111111111111"),
        ("4 one 1 1 1 uh 1 1 1 1 then 1 1 1 1 and 1 1 1 1", "4111111111111111"),
    ],
)
def test_what_looks_like_a_placeholder_shields_nothing(text: str, secret: str) -> None:
    left = mask_text(normalise(text), Vault()).text

    for start in range(len(secret) - 7):
        assert secret[start : start + 8] not in digits_of(left)
