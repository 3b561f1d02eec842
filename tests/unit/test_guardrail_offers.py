"""Test that what an open offer brings may be told in any words, with its own sums, and never as if it were done."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.reviewing import NOTHING, kind_of
from worker.guardrails.grounds import OpenOffer

CANCELLATION = OpenOffer(
    "Cancel the whole booking, LF172 on 2026-03-12 for Victor Almeida, with a refund of $535 within 5 to 7 days to the "
    "original payment, the card ending in 4242",
    "cancel_reservation",
    535,
)
CHEAPER = OpenOffer(
    "Change to LF120 on 2026-03-08, departing 18:00, with a refund of $1,240 within 5 to 7 days to the original "
    "payment, the card ending in 4242",
    "change_flights",
    1_240,
)
DOWNGRADE = OpenOffer(
    "Move the booking to economy for 2 passengers, with a refund of $412 within 5 to 7 days to the original payment, "
    "the card ending in 4242",
    "change_cabin",
    412,
)
CERTIFICATE = OpenOffer("Give a certificate of $200 for the cancelled flight", "issue_certificate", 200)

VERBS = {
    "cancel_reservation": "cancel your booking",
    "change_flights": "change your flight",
    "change_cabin": "change the cabin",
}

MONEY_BACK = [
    "Here is what I can do: {summary}. Shall I make this change? Please answer yes or no.",
    "I can cancel your booking with a refund of ${usd} to the card ending in 4242. Would you like that?",
    "I can do this for you, with a refund of ${usd}. Shall I go ahead?",
    "You'll receive a refund of ${usd} within 5 to 7 days. Do you want me to go ahead?",
    "You will get ${usd} back to the card you paid with. Is that all right?",
    "If you say yes, I'll refund ${usd} to your card.",
    "I will refund you ${usd} as soon as you confirm.",
    "We'll process a refund of ${usd} to your original payment once you agree. Shall we?",
    "A refund of ${usd} will be issued to your card. Please confirm.",
    "Good news! I'd be able to refund ${usd} to the card ending in 4242. Just say yes and it happens.",
    "That would give you a refund of $ {usd}.00 in total.\n\nShall I go ahead?",
    "The refund of ${usd} will be sent to the card ending in 4242. May I go ahead?",
    "I can arrange a refund of {usd} dollars for you. Reply yes to confirm.",
    "- Refund: ${usd}\n- To: card ending in 4242\n\nI'll issue this refund when you reply with yes.",
    "Your refund of ${usd} will be processed after your yes. Shall I cancel the booking?",
    "I am happy to process your refund of ${usd}, which arrives within 5 to 7 days. Confirm?",
]

NOT_YET_TRUE = [
    "I have refunded ${usd} to your card. Anything else?",
    "I've processed your refund of ${usd}. Can I do more for you?",
    "Your refund of ${usd} has been issued. Shall I go on?",
    "Your refund of ${usd} is on its way. Would you like anything else?",
    "I am refunding ${usd} right now. Is that all right?",
    "I just refunded ${usd}. OK?",
    "We issued a refund of ${usd} to your card. Do you see it?",
    "I secured a refund of ${usd} for you. Shall I go on?",
    "The refund of ${usd} has already been approved. Anything else?",
    "I will refund you $9,999. Shall I go ahead?",
    "You will receive a refund of $5. Shall I go ahead?",
    "You'll get $9,999 back to your card. Is that all right?",
    "I'll refund ${usd} and waive the change fee. Shall I?",
    "I'll refund ${usd} and give you a voucher. Shall I go ahead?",
    "I will refund you ${usd}.",
    "You'll receive a refund of ${usd} within 5 to 7 days.",
]


def worded(template: str, offered: OpenOffer) -> str:
    return template.format(summary=offered.summary, usd=f"{offered.usd:,}")


@pytest.mark.parametrize("template", MONEY_BACK)
@pytest.mark.parametrize("offered", [CANCELLATION, CHEAPER, DOWNGRADE], ids=lambda offered: str(offered.query))
def test_an_offer_that_pays_back_may_be_made_in_any_words(template: str, offered: OpenOffer) -> None:
    reply = worded(template, offered).replace("cancel your booking", VERBS[offered.query])
    reply = reply.replace("cancel the booking", VERBS[offered.query])

    assert kind_of(reply, replace(NOTHING, offered=offered, told=[offered.summary])) is None


@pytest.mark.parametrize("template", NOT_YET_TRUE)
@pytest.mark.parametrize("offered", [CANCELLATION, CHEAPER, DOWNGRADE], ids=lambda offered: str(offered.query))
def test_no_offer_stands_behind_what_it_does_not_bring_or_has_not_brought_yet(
    template: str, offered: OpenOffer
) -> None:
    reply = worded(template, offered)

    assert kind_of(reply, replace(NOTHING, offered=offered, told=[offered.summary])) == "unbacked_promise"


@pytest.mark.parametrize("template", [one for one in MONEY_BACK if "would" not in one and "If" not in one][1:4])
def test_without_the_offer_the_same_words_are_a_promise(template: str) -> None:
    assert kind_of(worded(template, CANCELLATION), NOTHING) == "unbacked_promise"


@pytest.mark.parametrize(
    ("reply", "offered"),
    [
        ("I can give you a certificate of $200 for the cancelled flight. Shall I?", CERTIFICATE),
        ("You will receive a certificate of $200. Would you like it?", CERTIFICATE),
        (
            "I can upgrade you to business for $390. Shall I go ahead?",
            OpenOffer("Move to business for $390", "change_cabin", 390),
        ),
        ("I will move you to 12A for $35 extra if you confirm.", OpenOffer("Move to 12A for $35", "move_to_seat", 35)),
    ],
)
def test_offers_of_other_kinds_may_be_made_as_well(reply: str, offered: OpenOffer) -> None:
    assert kind_of(reply, replace(NOTHING, offered=offered, told=[offered.summary])) is None


@pytest.mark.parametrize(
    "reply",
    [
        "I can tell you that you will receive a refund of $50 per day.",
        "I'm sorry about that. I have found that you'll receive a refund of $50 per day.",
        "Good news: you will get a refund of $50 per day.",
    ],
)
def test_policy_may_be_introduced_by_who_tells_it(reply: str) -> None:
    policy = replace(NOTHING, told=["A delayed bag: a refund of $50 is paid per day."])

    assert kind_of(reply, policy) is None
    assert kind_of(reply.replace("$50", "$5"), policy) == "unbacked_promise"  # no part of a sum is that sum
