"""Play conversations on the embedded model up to the answer to an offer, and see what the answer does."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.unit.airline_stand_ins import NOW, NUMBER, RESERVATION, MemoryAirline, MemoryKnowledge
from tests.unit.consent_samples import NO, YES
from tests.unit.local_conversations import Conversation

OFFERED = f"seat 12A please, Okafor {NUMBER}"
DEFERRED = [
    "Ok, I need to check with my husband", "okay bye", "ok thanks, I'll sleep on it",
    "sure, once I've spoken with my boss", "I will accept only if it is free", "agree to disagree",
    "Please proceed to tell me the price", "great - what time does it leave",
    "that's fine as it is, keep my old seat",
]  # fmt: skip


@pytest.fixture(scope="module")
async def offered() -> Conversation:
    conversation = Conversation()
    offer = await conversation.say(OFFERED)
    assert "seat 12A" in offer.reply
    return conversation


@pytest.fixture
def talk(offered: Conversation) -> Conversation:
    """Go on from the offer, each test for itself."""
    return offered.copy()


@pytest.mark.parametrize("text", [text for name, text in YES if name in {"any", "seat"} and "PHONE_1" not in text])
async def test_what_the_rule_takes_for_a_yes_the_model_takes(talk: Conversation, text: str) -> None:
    done = await talk.say(text)

    assert [effect[:11] for effect in done.effects] == ["seat_change"]
    assert "Done" in done.reply


@pytest.mark.parametrize("text", [text for name, text in NO if name in {"any", "seat"} and text])
async def test_what_is_no_yes_changes_nothing(talk: Conversation, text: str) -> None:
    answer = await talk.say(text)

    assert answer.effects == []
    assert "confirm_quote" not in answer.path
    assert answer.refused or answer.reply


@pytest.mark.parametrize("text", DEFERRED)
async def test_a_cancellation_is_not_made_for_words_that_sound_like_a_yes(text: str) -> None:
    talk = Conversation(backend=MemoryAirline(replace(RESERVATION, created_at=NOW - timedelta(hours=23))))
    await talk.say(f"please cancel my booking, Okafor {NUMBER}")
    offer = await talk.say("my plans changed")

    answer = await talk.say(text)

    assert offer.path == ["quote_cancellation"]
    assert answer.effects == []


@pytest.mark.parametrize("text", ["thanks", "Thank you so much!", "brilliant, cheers", "okay bye", "ok", "hm", "si"])
async def test_an_answer_that_leaves_it_open_is_asked_about_in_other_words(text: str) -> None:
    talk = Conversation()
    offer = await talk.say(OFFERED)
    again = await talk.say("not yet, let me ask my wife")
    more = await talk.say("thanks" if text == "ok" else text)
    done = await talk.say("ok, yes please")

    assert again.effects == more.effects == []
    assert len({offer.reply, again.reply, more.reply}) == len([offer, again, more])
    assert all("seat 12A" in one.reply for one in (again, more))
    assert len(done.effects) == 1


async def test_an_answer_that_stays_unclear_ends_with_a_person(talk: Conversation) -> None:
    played = [await talk.say(text) for text in ("hm", "okay bye", "ok thanks, I'll sleep on it")]

    assert [one.escalation is not None for one in played] == [False, False, True]
    assert played[-1].escalation is not None
    assert played[-1].escalation.category == "pending_clarification"
    assert "ticket" in played[-1].reply


async def test_a_yes_that_never_meets_its_offer_ends_with_a_ticket(talk: Conversation) -> None:
    played = []
    for _ in range(3):
        talk.items.append({"role": "assistant", "content": "Your message could not be answered."})
        played.append(await talk.say("yes"))

    assert [one.effects for one in played] == [[], [], []]
    assert played[-1].escalation is not None
    assert "Your ticket number is" in played[-1].reply


async def test_a_yes_after_a_question_in_between_brings_the_offer_again() -> None:
    talk = Conversation()
    await talk.say(f"window seat please, Okafor {NUMBER}")
    answer = await talk.say("how many bags can I check?")
    again = await talk.say("Great, thank you")
    done = await talk.say("yes")

    assert answer.path == ["faq_lookup"]
    assert again.effects == []
    assert "window seat" in again.reply
    assert len(done.effects) == 1


async def test_a_yes_after_another_seat_was_refused_moves_nobody(talk: Conversation) -> None:
    refused = await talk.say("Could I have 14C instead?")
    again = await talk.say("Yes, go ahead")

    assert refused.effects == again.effects == []
    assert "12A" in again.reply


@pytest.mark.parametrize("text", ["yes please", "👍", "why not", "Agreed", "sure, why not", "Yes please, a colleague"])
async def test_a_person_is_called_for_the_same_yes(text: str) -> None:
    talk = Conversation(knowledge=MemoryKnowledge())
    offered = await talk.say("How much is the fee for a surfboard?")
    handed = await talk.say(text)

    assert "colleague?" in offered.reply
    assert handed.path[-1] == "escalate_to_human"


async def test_a_question_is_no_yes_to_a_person() -> None:
    talk = Conversation(knowledge=MemoryKnowledge())
    await talk.say("How much is the fee for a surfboard?")
    asked = await talk.say("ok and how much is a second bag?")

    assert asked.escalation is None
