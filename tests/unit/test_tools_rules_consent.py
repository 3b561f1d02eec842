"""The rule of what counts as a yes to an offer."""

from __future__ import annotations

import pytest

from worker.domains.airline.rules.consent import Offered, is_a_yes, terms_of

SEAT = Offered(
    "Move Ada Okafor from 14C to window seat 12A on flight LF118 on 2026-03-07 at no extra charge", terms_of("12A")
)
PREMIUM = Offered(
    "Move Ada Okafor to premium window seat 3A on flight LF118 on 2026-03-07 for $35 extra, charged to the card ending "
    "in 4242",
    terms_of("3A"),
)
FLIGHTS = Offered(
    "Change the flights from LF118 on 2026-03-07 to LF120 on 2026-03-08 in economy for $70 extra, charged to the card "
    "ending in 4242",
    terms_of("LF120 2026-03-08"),
    frozenset({"change"}),
)
CANCELLATION = Offered(
    "Cancel the whole booking with a refund of $800 within 5 to 7 days to the original payment, the card ending in 42",
    frozenset(),
    frozenset({"cancel"}),
)
BAGS = Offered("Add 2 checked bags for $100 extra", terms_of("2 bags"), frozenset({"add"}))
CABIN = Offered(
    "Move the booking from economy to business for $600 extra", terms_of("business"), frozenset({"upgrade"})
)


@pytest.mark.parametrize(
    "text",
    [
        "yes", "Yes please!", "y", "ok", "Okay, thanks", "sure", "go ahead", "Please go ahead and do it", "sounds good",
        "perfect", "Yep, book it.", "confirm", "12A please", "12a", "Yes, 12A.", "yes, could you do that?", "please do",
        "👍", "That's right, yes", "no problem, go ahead", "alright then", "Yes. Thank you so much!", "please",
    ],
)  # fmt: skip
def test_an_agreement_is_a_yes(text: str) -> None:
    assert is_a_yes(text, SEAT)


@pytest.mark.parametrize(
    "text",
    [
        "", "no", "No thanks", "nope", "not sure", "yes but in another row", "Actually, a window instead", "wait",
        "how much is it?", "is that ok?", "Is it a window seat?", "never mind", "12B", "yes, 12B please", "14C is fine",
        "don't", "I don't want that", "cancel that", "hmm", "what about 3A", "that's too expensive", "maybe",
        "let me think",
        "thanks", "a window seat please", "tell me the price, please", "yesterday I flew to Boston",
    ],
)  # fmt: skip
def test_anything_else_is_no_yes(text: str) -> None:
    assert not is_a_yes(text, SEAT)


@pytest.mark.parametrize(
    ("text", "offered"),
    [
        ("yes, move me from 14C to 12A", SEAT),
        ("yes, $35 is fine, use my card", PREMIUM),
        ("Yes, LF120 please", FLIGHTS),
        ("ok, change LF118 to LF 120", FLIGHTS),
        ("yes, the 8th is great", FLIGHTS),
        ("yes, March 8 works, that's a Sunday", FLIGHTS),
        ("please change it", FLIGHTS),
        ("LF120", FLIGHTS),
        ("yes, cancel it", CANCELLATION),
        ("please cancel my booking", CANCELLATION),
        ("Cancel everything, thank you", CANCELLATION),
        ("yes please refund it to my card", CANCELLATION),
        ("2 bags please", BAGS),
        ("yes add two bags", BAGS),
        ("Please add them.", BAGS),
        ("Yes please, and thank you for your help today. Have a nice Sunday", CABIN),
        ("business please", CABIN),
        ("upgrade us please", CABIN),
        ("Yes, from economy to business", CABIN),
        ("yes\n\nOn Mon, Mar 2, 2026 Larkfield Air wrote:\n> not 14C but seat 9A?", SEAT),
        ("Yes please, [CONFIRMATION_NUMBER_1], [PHONE_1]", SEAT),
    ],
)  # fmt: skip
def test_a_yes_may_repeat_what_is_offered(text: str, offered: Offered) -> None:
    assert is_a_yes(text, offered)


@pytest.mark.parametrize(
    ("text", "offered"),
    [
        ("yes, if it's under $20", PREMIUM),
        ("yes, with my gift card", PREMIUM),
        ("LF118 is fine", FLIGHTS),
        ("yes, LF121 please", FLIGHTS),
        ("yes, option 2", FLIGHTS),
        ("yes, on the 9th", FLIGHTS),
        ("yes, Monday please", FLIGHTS),
        ("ok for 9 March", FLIGHTS),
        ("yes, tomorrow", FLIGHTS),
        ("yes, in business class", FLIGHTS),
        ("ok, March 7", FLIGHTS),
        ("don't cancel it", CANCELLATION),
        ("cancel that", CANCELLATION),
        ("I asked you to cancel my newspaper and nothing else", CANCELLATION),
        ("yes but refund it to my gift card", CANCELLATION),
        ("yes, refund to a gift card", CANCELLATION),
        ("cancel it", FLIGHTS),
        ("yes, three bags", BAGS),
        ("3 bags please", BAGS),
        ("add them to another booking", BAGS),
        ("ok, basic economy", CABIN),
        ("is business ok?", CABIN),
        ("\n> Shall I go ahead? Please say yes", SEAT),
        ("hm\n\nOn Mon, Mar 2, 2026 Larkfield Air wrote:\nShall I do it. Yes", SEAT),
        ("[CONFIRMATION_NUMBER_1]", SEAT),
    ],
)  # fmt: skip
def test_a_message_that_changes_the_offer_is_no_yes(text: str, offered: Offered) -> None:
    assert not is_a_yes(text, offered)


def test_what_is_offered_is_found_however_it_is_written() -> None:
    assert terms_of("LF 0118 on 2026-03-07 (Saturday), seat 12 a, $35, two more bags, Visa") == {
        "flight lf118", "day 3-7", "saturday", "seat 12a", "$35", "2 bags", "card",
    }  # fmt: skip
    assert terms_of("at 10 in row 5 on May 24th or 24 May") == {"day 5-24"}
