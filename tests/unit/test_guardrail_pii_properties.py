"""Test what must hold for every secret and every text, on generated ones."""

from __future__ import annotations

import re

import phonenumbers
from hypothesis import assume, given
from hypothesis import strategies as st
from stdnum import luhn

from ops.lab.evaluate.pii import measure_pii
from ops.lab.evaluate.sets import OUR_SETS, read_sets
from worker.conversation.vault import Vault
from worker.guardrails.pii import mask_text, normalise

ISSUERS = [
    ("4", 16),
    ("4", 13),
    ("51", 16),
    ("2345", 16),
    ("37", 15),
    ("6011", 16),
    ("3530", 16),
    ("3601", 14),
    ("6222", 19),
]
GROUPS = [(4, 4, 4, 4, 4), (19,), (2,) * 10, (1,) * 19, (8, 8, 8), (4, 6, 5, 4), (5, 5, 5, 5)]
CARRIERS = [
    "{}",
    "my card is {}",
    "please charge {} for the seats",
    "({})",
    "{}, thanks!",
    "visa:{}",
    "is it {}?",
    "a\n{}\nb",
]
SEPARATORS = [
    "",
    " ",
    "-",
    ".",
    "  ",
    " - ",
    "/",
    "_",
    ":",
    ", ",
    "\t",
    "\n",
    "\u00a0",
    "\u2009",
    "\u2013",
    "\u2011",
    "\u200b",
    "\ufe0f\u20e3",
]
ZEROS = "0\uff10\u0660\u0966\U0001d7ce"
"""The zeros of five ways of writing digits: ASCII, full width, Arabic, Devanagari, mathematical."""


@st.composite
def cards(draw: st.DrawFn) -> str:
    """Draw a valid card number: any brand, any grouping, any separators, any script's digits."""
    issuer, length = draw(st.sampled_from(ISSUERS))
    body = issuer + draw(st.text("0123456789", min_size=length - len(issuer) - 1, max_size=length - len(issuer) - 1))
    number = body + luhn.calc_check_digit(body)
    return spread(draw, number, draw(st.sampled_from(GROUPS)))


def spread(draw: st.DrawFn, number: str, groups: tuple[int, ...]) -> str:
    """Write a number in groups, each gap as it is drawn."""
    zero = ord(draw(st.sampled_from(ZEROS)))
    parts = []
    for size in groups:
        parts.append("".join(chr(zero + int(digit)) for digit in number[:size]))
        number = number[size:]
        if not number:
            break
        parts.append(draw(st.sampled_from(SEPARATORS)))
    return "".join(parts)


def digits_left(text: str) -> str:
    return re.sub(r"\D", "", re.sub(r"\[[A-Z_]+_\d+\]", "", text))


@given(cards(), st.sampled_from(CARRIERS))
def test_no_valid_card_number_survives(card: str, carrier: str) -> None:
    vault = Vault()

    result = mask_text(normalise(carrier.format(card)), vault)

    assert "[CARD_NUMBER]" in result.text
    assert digits_left(result.text) == ""
    assert vault.entries == {}


@st.composite
def social_security_numbers(draw: st.DrawFn) -> str:
    """Draw a number that may have been given out, with one separator or none."""
    area = draw(st.integers(1, 899).filter(lambda number: number != 666))
    separator = draw(st.sampled_from(["-", " ", ".", "", "\u2013", "-\u200b"]))
    return f"{area:03}{separator}{draw(st.integers(1, 99)):02}{separator}{draw(st.integers(1, 9999)):04}"


@given(social_security_numbers(), st.sampled_from(["my ssn is {}", "SSN {}", "social security number: {}", "ss# {}!"]))
def test_no_social_security_number_survives_where_one_is_named(number: str, carrier: str) -> None:
    vault = Vault()

    result = mask_text(normalise(carrier.format(number)), vault)

    assert digits_left(result.text) == ""
    assert "[SSN]" in result.text or "[CARD_NUMBER]" in result.text
    assert vault.entries == {}


@given(
    st.sampled_from(sorted(phonenumbers.SUPPORTED_REGIONS)),
    st.sampled_from(["{}", "call {} please", "mobile: {} or mail"]),
)
def test_no_international_phone_number_survives(region: str, carrier: str) -> None:
    example = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
    assume(example is not None)
    written = phonenumbers.format_number(
        example or phonenumbers.PhoneNumber(), phonenumbers.PhoneNumberFormat.INTERNATIONAL
    )

    result = mask_text(normalise(carrier.format(written)), Vault())

    assert digits_left(result.text) == ""


PIECES = [
    "R4MXT8",
    "confirmation number",
    "[PHONE_1]",
    "[EMAIL_1]",
    "[CARD_NUMBER]",
    "passport",
    "C01X00T47",
    "ssn",
    "219-45-9876",
    "4111 1111 1111 1111",
    "+1 415 555 0132",
    "call",
    "ada@example.com",
    "is",
    ":",
    ",",
    "the",
    "2 g 5 d 6 h",
    "flight LF118",
    "\n",
]
texts = st.one_of(st.text(max_size=120), st.lists(st.sampled_from(PIECES), max_size=12).map(" ".join))


@given(texts)
def test_masking_twice_is_masking_once(text: str) -> None:
    vault = Vault()
    once = mask_text(normalise(text), vault)

    twice = mask_text(normalise(once.text), vault)

    assert twice.text == once.text


@given(texts)
def test_a_secret_keeps_its_placeholder_for_ever(text: str) -> None:
    vault = Vault()
    first = mask_text(normalise(text), vault)
    kept = vault.entries

    again = mask_text(normalise(text), Vault(kept))

    assert again.text == first.text


def test_every_secret_of_our_set_is_found_and_next_to_nothing_else() -> None:
    ours = read_sets(OUR_SETS, "ours").pii

    measured = measure_pii(ours)

    assert [miss for miss in measured.misses if "shows" in miss.said] == []
    assert len(measured.misses) <= 0.01 * sum(not row.spans for row in ours)
