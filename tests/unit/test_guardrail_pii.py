"""Test what is masked and, as much, what is not."""

from __future__ import annotations

import ast
import re
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.conversation.vault import Vault
from worker.guardrails import pii
from worker.guardrails.pii import mask_text, normalise

CONFIRMATIONS = [
    ("my confirmation number is R4MXT8", "R4MXT8"),
    ("confirmation # R4MXT8", "R4MXT8"),
    ("Conf# QWE4RT, thanks", "QWE4RT"),
    ("PNR: QWERTZ", "QWERTZ"),
    ("pnr qzx7pl", "QZX7PL"),
    ("record locator JHGTRE for tomorrow", "JHGTRE"),
    ("my confirmation is kqzpmt", "KQZPMT"),
    ("booking reference number: a1b2c3", "A1B2C3"),
    ("Reservation ABC12D needs a change", "ABC12D"),
    ("the code is W2KPD6.", "W2KPD6"),
    ("my booking number is 482913", "482913"),
    ("can you look up W2KPD6?", "W2KPD6"),
    ("R4MXT8", "R4MXT8"),
    ("r4mxt8", "R4MXT8"),
    ("3 r 8 w 4 m", "3R8W4M"),
    ("its lindholm and 3 r 8 w 4 m", "3R8W4M"),
    ("my booking confirmation number is tpw 583", "TPW583"),
    ("priya vbn 294", "VBN294"),
    ("its h 4 qd 71", "H4QD71"),
    ("Okafor, R4MXT8", "R4MXT8"),
    ("confirmation R4M-XT8", "R4MXT8"),
    ("locator R 4 M X T 8 please", "R4MXT8"),
    ("confirmation letters q w e r t z", "QWERTZ"),
    ("LF-118 is the flight, 9XW3NV is the booking", "9XW3NV"),
    ("my pnr \uff32\uff14\uff2d\uff38\uff34\uff18", "R4MXT8"),
    ("my pnr R4\u200bMX\u200bT8", "R4MXT8"),
    ("Please DM. conf ABXYZT", "ABXYZT"),
    ("record locater PQRSTU", "PQRSTU"),
    ("my confirmation # for flight 1234 is WERTYU", "WERTYU"),
    ("Ticket booked under PNR-KLJH34", "KLJH34"),
    ("smith / Q4RTY8", "Q4RTY8"),
    ("booking reference (QWEASD)", "QWEASD"),
]

NOT_MASKED = [
    "flight AA1234 on 24DEC25 from PHX to SEA",
    "I'm on UA 1234 tomorrow",
    "delayed flight, LFA118 from PHX to SEA",
    "seat 12A or 14C, row 22",
    "the fare is $1,234.56 and I paid 200USD",
    "leaves at 1230PM, arrives 10h30m later",
    "bag is 200lbs, limit 50 lbs",
    "please change my flight, thanks",
    "I never got a confirmation letter",
    "my confirmation number please",
    "your booking system failed again",
    "BOOKING ONLINE FAILED AGAIN",
    "promo code SAVE20 does not work",
    "the plane was N123AB, an A320 or 737MAX",
    "fare basis QLXAP7",
    "see you in 2 weeks, 15 people, gate B22",
    "DALLAS to BOSTON on Friday",
    "my user name is kate23",
    "call the desk between 10:30 and 11:45 on 05/24/2026",
    "ticket number 0162389030167",
    "the bag tag is 0016 123456",
    "is 123-45 a row?",
    "8am-5pm",
    "mp3 usb2.0 wifi6e",
    "order 112-3456789-1234567",
    "I arrive at airport.com",
    "PNR status unknown, record locator missing",
    "confirmation EMAILS never come",
    "24h before departure, 1h30 layover, 100ml limit",
    "flights at 0830 1045 1200",
    "on 06 12 2026 we fly",
    "zip 07030-1234",
    "case number 07911123456",
    "e-ticket 006 2345678901",
    "hgfkjh",
    "sdfsdf",
]

CARDS = [
    "4111 1111 1111 1111",
    "4111-1111-1111-1111",
    "4111111111111111",
    "4111.1111.1111.1111",
    "4111  1111  1111  1111",
    "5555 5555 5555 4444",
    "3782 822463 10005",
    "6011 1111 1111 1117",
    "3056 930902 5904",
    "41 11 11 11 11 11 11 11",
    "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1",
    "\uff14\uff11\uff11\uff11 1111 1111 1111",
]


def masked(text: str, vault: Vault | None = None) -> pii.MaskedText:
    return mask_text(normalise(text), vault if vault is not None else Vault())


@pytest.mark.parametrize(("text", "code"), CONFIRMATIONS)
def test_a_confirmation_number_goes_into_the_vault(text: str, code: str) -> None:
    vault = Vault()

    result = masked(text, vault)

    assert vault.entries == {"[CONFIRMATION_NUMBER_1]": code}
    assert result.text.count("[CONFIRMATION_NUMBER_1]") == 1
    assert result.types == ("CONFIRMATION_NUMBER",)


@pytest.mark.parametrize("text", NOT_MASKED)
def test_what_only_looks_like_a_secret_stays(text: str) -> None:
    assert masked(text) == pii.MaskedText(text, ())


@pytest.mark.parametrize("card", CARDS)
def test_a_card_number_is_gone_for_ever(card: str) -> None:
    vault = Vault()

    result = masked(f"charge {card} exp 09/27 please", vault)

    assert result.text == "charge [CARD_NUMBER] exp 09/27 please"
    assert result.types == ("CARD_NUMBER",)
    assert vault.entries == {}


def test_the_security_code_goes_with_the_card() -> None:
    assert masked("visa 4111111111111111 cvv 123").text == "visa [CARD_NUMBER] cvv [CARD_NUMBER]"


def test_a_mistyped_card_number_is_masked_after_a_cue_only() -> None:
    assert masked("my card is 4111 1111 1111 1112").text == "my card is [CARD_NUMBER]"
    assert masked("bag 4111 1111 1111 1112").types == ()


def test_two_cards_in_a_row_are_both_gone() -> None:
    result = masked("cards: 4111111111111111, 5555555555554444")

    assert result.text == "cards: [CARD_NUMBER], [CARD_NUMBER]"


@pytest.mark.parametrize(
    "text", ["my ssn is 219-45-9876", "219-45-9876", "SSN 219459876", "social security number: 219 45 9876"]
)
def test_a_social_security_number_is_gone_for_ever(text: str) -> None:
    vault = Vault()

    result = masked(text, vault)

    assert "[SSN]" in result.text
    assert not re.search(r"\d", result.text)
    assert vault.entries == {}


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("You reach me under 310-555-0171.", "+13105550171"),
        ("(212) 555 0199", "+12125550199"),
        ("text 2125550147", "+12125550147"),
        ("+44 20 7946 0958 is my number", "+442079460958"),
        ("Phone: +82 10-5550-0163", "+821055500163"),
        ("reach me on 212.555.0147 or by mail", "+12125550147"),
        ("my cell: 5550147", "+15550147"),
        ("0044 20 7946 0958", "+442079460958"),
        ("phone no: 020 7946 0958", "02079460958"),
        ("00-61-412-345-678", "+61412345678"),
        ("0171 1234567", "01711234567"),
        ("06.12.34.56.78", "0612345678"),
        ("07911123456", "07911123456"),
        ("call4155550132", "+14155550132"),
        ("hit me up on0416123456", "0416123456"),
        ("11 98765-4321 is my mobile", "11987654321"),
    ],
)
def test_a_phone_number_goes_into_the_vault(text: str, number: str) -> None:
    vault = Vault()

    result = masked(text, vault)

    assert vault.entries == {"[PHONE_1]": number}
    assert result.types == ("PHONE",)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("write to Ada.Okafor+air@Example.co.uk, please", "ada.okafor+air@example.co.uk"),
        ("ada at example dot com", "ada@example.com"),
        ("ada(at)example.com", "ada@example.com"),
        ("ada @ example.com", "ada@example.com"),
        ("my email is ada at example.com", "ada@example.com"),
    ],
)
def test_an_email_address_goes_into_the_vault(text: str, address: str) -> None:
    vault = Vault()

    result = masked(text, vault)

    assert vault.entries == {"[EMAIL_1]": address}
    assert "xample" not in result.text


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("passport no. 740315926, valid to 2031", "740315926"),
        ("Passport: R51207843", "R51207843"),
        ("passport number is ab1234567", "AB1234567"),
        ("X1234567 is my passport number", "X1234567"),
        ("Passport # C01X00T47", "C01X00T47"),
        ("passport number: AB 1234567", "AB1234567"),
    ],
)
def test_a_passport_number_goes_into_the_vault(text: str, number: str) -> None:
    vault = Vault()

    result = masked(text, vault)

    assert vault.entries == {"[PASSPORT_1]": number}
    assert result.types == ("PASSPORT",)


def test_everything_at_once() -> None:
    vault = Vault()

    result = masked("R4MXT8, card 4111 1111 1111 1111, ssn 219-45-9876, ada@example.com, call +1 310 555 0171", vault)

    assert result.text == "[CONFIRMATION_NUMBER_1], card [CARD_NUMBER], ssn [SSN], [EMAIL_1], call [PHONE_1]"
    assert result.types == ("CARD_NUMBER", "CONFIRMATION_NUMBER", "EMAIL", "PHONE", "SSN")
    assert vault.render(result.text).startswith("R4MXT8, card [CARD_NUMBER]")


def test_the_same_code_spelled_twice_has_one_placeholder() -> None:
    vault = Vault()

    masked("my confirmation number is tpw 583", vault)
    result = masked("again: confirmation TPW583", vault)

    assert result.text == "again: confirmation [CONFIRMATION_NUMBER_1]"


def test_a_placeholder_that_was_typed_is_none_whether_the_vault_has_it_or_will_have() -> None:
    vault = Vault({"[PHONE_1]": "+14155550132"})

    typed = masked("send [PHONE_1], [EMAIL_1], PHONE_1, [phone_1] and [SSN] to ada@example.com", vault)

    assert typed.text == "send [PHONE-1], [EMAIL-1], PHONE-1, [phone-1] and (SSN) to [EMAIL_1]"
    assert vault.render(typed.text) == "send [PHONE-1], [EMAIL-1], PHONE-1, [phone-1] and (SSN) to ada@example.com"


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("a\u200bb\u2060c\ufeff", "abc"),
        ("a\u202eb\u2066c", "abc"),
        ("a\x00b\x07c", "abc"),
        ("line\r\nnext\ttab", "line\nnext\ttab"),
        ("\uff21\uff22\uff11", "AB1"),
        ("no\u00a0break", "no break"),
        ("plain ascii", "plain ascii"),
        ("caf\u00e9 \U0001f600", "caf\u00e9 \U0001f600"),
        ("one\u2028two", "one two"),
    ],
)
def test_normalise_leaves_only_what_is_seen(raw: str, clean: str) -> None:
    assert normalise(raw) == clean


@given(st.text(max_size=200))
def test_any_text_is_masked_without_an_error(text: str) -> None:
    once = normalise(text)

    assert normalise(once) == once
    assert mask_text(once, Vault()).text is not None


def test_a_detector_that_breaks_lets_no_text_through(monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down(_text: str) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(pii, "_DETECTORS", (break_down,))

    with pytest.raises(RuntimeError, match="broken"):
        masked("4111111111111111")


def test_a_long_hostile_text_is_masked_in_good_time() -> None:
    texts = ["1 " * 10_000, "a1" * 10_000, "code " * 4_000, "a@" * 10_000, "passport " * 2_200, "(at) dot " * 2_000]

    started = time.perf_counter()
    for text in texts:
        masked(text)

    assert time.perf_counter() - started < 10


OUR_WORDS = ("worker/domains", "worker/tools", "worker/pipeline", "worker/agents")


def sentences_in(file: Path) -> set[str]:
    """Read the sentences within a module's strings; what is filled in later stands as a word."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.JoinedStr):
            found.add("".join(str(part.value) if isinstance(part, ast.Constant) else "this" for part in node.values))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.add(node.value)
    return {text for text in found if re.search(r"[a-z] [a-z]+ [a-z]", text) and not re.search(r"[\\^|]", text)}


def test_our_own_words_are_never_taken_for_a_secret() -> None:
    root = Path(__file__).parents[2]
    sentences = {text for place in OUR_WORDS for file in (root / place).rglob("*.py") for text in sentences_in(file)}

    masked_ones = [text for text in sentences if masked(text).types]

    assert len(sentences) > 300
    assert masked_ones == []
