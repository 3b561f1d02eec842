"""The rule of what counts as a yes to an offer, and of what counts as having made one."""

from __future__ import annotations

import re
import string

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from tests.unit.consent_samples import NO, OFFERS, PLACEHOLDERS, YES, offers_named
from worker.domains.airline.rules.consent import Offered, is_a_yes, tells_offer
from worker.domains.airline.rules.terms import terms_of

AGREEMENTS = [text for name, text in YES if name == "any" and "\n" not in text and text[:1] not in ">[<"]
JOINERS = [", ", ". ", "! ", " ", "; ", " - ", "\n", "\n\n", " and ", " but ", ", then ", " because ", ": ", " (", "… "]
OUTSIDE = [
    text
    for name, text in NO
    if name == "any" and "\n" not in text and len(text.split()) > 0 and re.search(r"[a-z]{2}", text)
]

# Words that stand in no agreement, by hand and not by the code: a message that has one of them says something else.
FOREIGN = sorted(
    re.findall(
        r"\w+",
        """
        unless until if whether only except without husband wife boss manager sleep wait ask check think maybe perhaps
        disagree never none refuse decline stop keep instead rather another other earlier later cheaper price cost wifi
        dog cat hotel lawyer weather tomorrow tonight next month however although though before after once while who
        what how when where which whose doubt consider postpone undo old different first second half almost nearly
        """,
    )
)


def is_taken(text: str, offered: Offered) -> bool:
    return is_a_yes((text,), offered, PLACEHOLDERS)


def test_the_tables_are_long_and_say_nothing_twice() -> None:
    assert len(set(YES)) == len(YES) >= 150
    assert len(set(NO)) == len(NO) >= 300
    assert not set(YES) & set(NO)


@pytest.mark.parametrize(("name", "text"), YES)
def test_an_agreement_is_a_yes(name: str, text: str) -> None:
    lost = [offered.kind for offered in offers_named(name) if not is_taken(text, offered)]

    assert lost == []


@pytest.mark.parametrize(("name", "text"), NO)
def test_anything_else_is_no_yes(name: str, text: str) -> None:
    taken = [offered.kind for offered in offers_named(name) if is_taken(text, offered)]

    assert taken == []


@given(
    agreement=st.sampled_from(AGREEMENTS),
    clause=st.lists(st.sampled_from(FOREIGN), min_size=1, max_size=3).map(" ".join)
    | st.tuples(
        st.sampled_from(["i", "we", "you", "it is", "that", "the", "my", "please", "yes"]), st.sampled_from(FOREIGN)
    ).map(" ".join),
    joiner=st.sampled_from(JOINERS),
    order=st.permutations([0, 1]),
    offered=st.sampled_from(list(OFFERS.values())),
)
@example("yes", "only if it is free", ", ", [0, 1], OFFERS["cancel"])
def test_an_agreement_with_any_clause_outside_of_the_grammar_is_no_yes(
    agreement: str, clause: str, joiner: str, order: list[int], offered: Offered
) -> None:
    said = joiner.join([agreement, clause][place] for place in order)

    assert not is_taken(said, offered)


@given(
    agreement=st.sampled_from(AGREEMENTS),
    no=st.sampled_from(OUTSIDE),
    joiner=st.sampled_from([", ", ". ", "\n", " and ", " but "]),
    order=st.permutations([0, 1]),
)
def test_a_no_beside_an_agreement_is_heard(agreement: str, no: str, joiner: str, order: list[int]) -> None:
    # Courtesies and milder words say nothing against an agreement, so those of the table are passed over.
    assume(not is_taken(f"yes, {no}", OFFERS["cancel"]))
    said = joiner.join([agreement, no][place] for place in order)

    assert not is_taken(said, OFFERS["cancel"])


COURTESIES_OF_THE_TABLE_MAX = 40


def test_few_of_what_is_no_yes_alone_may_stand_beside_one() -> None:
    courtesies = [text for text in OUTSIDE if is_taken(f"yes, {text}", OFFERS["cancel"])]

    assert len(courtesies) <= COURTESIES_OF_THE_TABLE_MAX
    assert not [text for text in courtesies if set(re.findall(r"[a-z]+", text.lower())) & set(FOREIGN)]


@given(word=st.text(string.ascii_lowercase, min_size=4, max_size=12))
def test_a_word_that_nobody_knows_is_no_agreement(word: str) -> None:
    known = " ".join(text.lower() for _, text in YES)
    assume(word not in known and not re.fullmatch(r"y[eas]+s*|o+k+a*y*|\w*(?:bag|name|day)s?", word))

    assert not is_taken(f"yes please, {word}", OFFERS["seat"])


@pytest.mark.parametrize("text", ["yes " * 5_000, "ok, " * 5_000 + "no", "please go ahead and " * 1_000, ">" * 20_000])
def test_a_message_of_any_length_is_read_at_once(text: str) -> None:
    for offered in OFFERS.values():
        assert not is_taken(text, offered)


def test_of_messages_answered_together_each_must_be_of_the_grammar() -> None:
    mail = "yes\n\nOn Mon, Mar 2, 2026 Larkfield Air wrote:\n> Shall I?"

    assert is_a_yes((mail, "thank you so much"), OFFERS["seat"])
    assert not is_a_yes((mail, "wait, not yet"), OFFERS["seat"])
    assert not is_a_yes(("Great", "but only if it is free"), OFFERS["seat"])


def test_only_a_placeholder_that_the_vault_holds_says_nothing() -> None:
    assert is_a_yes(("yes, [PHONE_1]",), OFFERS["seat"], {"[PHONE_1]"})
    assert not is_a_yes(("yes, [PHONE_2]",), OFFERS["seat"], {"[PHONE_1]"})


def test_what_is_offered_is_found_however_it_is_written() -> None:
    assert terms_of("LF 0118 on 2026-03-07 (Saturday), seat 12 a, $35, two more bags, Visa") == {
        "flight lf118", "day 3-7", "saturday", "seat 12a", "$35", "2 bags", "card",
    }  # fmt: skip
    assert terms_of("at 10 in row 5 on May 24th or 24 May") == {"day 5-24"}
    assert terms_of("for $1,200 at 9:05 pm or 09:05") == {"$1200", "time 21:05", "time 9:05"}


@pytest.mark.parametrize(
    ("name", "price_usd", "reply"),
    [
        ("seat", 0, "7A is gone, but seat 12A on LF118 is free. Shall I move you there?"),
        ("premium", 35, "I can move you to window seat 3A on LF118 for $35. Would you like that?"),
        ("flights", 70, "You could fly on LF120 on March 8 for $70 more. Shall I change it?"),
        ("cancel", -800, "If you like I cancel the booking and $800 goes back to your card. Shall I?"),
        ("bags", 100, "Two checked bags are $100. Shall I add them?"),
        ("name", 0, "I can correct it to Ada Okafoor. Is that right?"),
        ("cabin", 600, "Business would be $600 more for both of you. Shall I go ahead?"),
        ("certificate", 0, "I can give you a certificate of $200. Would you like it?"),
    ],
)
def test_a_reply_makes_an_offer_in_words_of_its_own(name: str, price_usd: int, reply: str) -> None:
    if name == "seat":
        assert not tells_offer(reply, OFFERS[name], price_usd)  # it names another seat as well
        reply = reply.removeprefix("7A is gone, but ")
    assert tells_offer(reply, OFFERS[name], price_usd)
    assert not tells_offer(reply.replace("?", "."), OFFERS[name], price_usd)
    assert tells_offer(f"Just to be sure: {OFFERS[name].summary}. Is that a yes?", OFFERS[name], price_usd)


@pytest.mark.parametrize(
    ("name", "price_usd", "reply"),
    [
        ("cabin", 276, "Wi-Fi for browsing costs $8 per flight. Is there anything else I can do for you?"),
        ("cabin", 276, "Business would cost you more. Shall I go ahead?"),
        ("seat", 0, "Yes, 12A is by the window. Is there anything else I can do for you?"),
        ("cancel", -800, "You paid $800. Which of your two flights is it about?"),
        ("seat", 0, "Seat 14C is taken. Which one would you like instead?"),
        ("flights", 70, "LF120 leaves at 9:05. Shall I go on?"),
        ("cancel", -800, "I'm sorry to hear that. Why would you like to cancel?"),
        ("bags", 100, "How many bags would you like?"),
        ("name", 0, "How should the name read exactly?"),
        ("seat", 0, ""),
    ],
)
def test_a_reply_about_something_else_makes_no_offer(name: str, price_usd: int, reply: str) -> None:
    assert not tells_offer(reply, OFFERS[name], price_usd)
