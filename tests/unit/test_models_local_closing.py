"""Whoever wants nothing more, or only asks what a change would come to, gets neither a ticket nor a change."""

from __future__ import annotations

import pytest

from tests.unit.airline_stand_ins import NUMBER
from tests.unit.local_conversations import Conversation


@pytest.mark.parametrize("before", [f"Okafor {NUMBER}", "How many bags can I check?"])
@pytest.mark.parametrize(
    "text",
    [
        "no need", "yes fine, good", "not necessary", "all good, no need any more", "ok that's enough",
        "fine, that's clear", "yes good", "no, nothing else",
    ],
)  # fmt: skip
async def test_closing_words_where_nothing_is_open_are_answered_in_kind(before: str, text: str) -> None:
    talk = Conversation()
    await talk.say(before)

    closed = await talk.say(text)

    assert (closed.path, closed.escalation) == ([], None)
    assert closed.reply.startswith(("You're welcome", "Good. "))


async def test_a_question_whether_to_go_on_is_no_place_for_closing_words() -> None:
    talk = Conversation()
    await talk.say(f"aisle seat please, Okafor {NUMBER}")

    done = await talk.say("yes fine, good")

    assert len(done.effects) == 1


@pytest.mark.parametrize("text", ["yes", "ok do it", "go ahead please"])
async def test_what_a_change_would_come_to_is_told_and_no_yes_makes_it(text: str) -> None:
    talk = Conversation()
    await talk.say(f"Okafor {NUMBER}")

    told = await talk.say("If I added two bags, what would I pay?")
    after = await talk.say(text)
    done = await talk.say("yes")

    assert "nothing is changed" in told.reply
    assert "?" not in told.reply
    assert after.effects == []
    assert "Add 2 checked bags" in after.reply
    assert len(done.effects) == 1


async def test_the_price_of_an_offer_is_told_again() -> None:
    talk = Conversation()
    offer = await talk.say(f"Okafor {NUMBER}. Please add two bags")

    again = await talk.say("hmm, how much is that exactly")

    assert "$" in offer.reply
    assert "Add 2 checked bags" in again.reply
