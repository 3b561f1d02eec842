"""What articles say is told beside a ticket and beside what a booking needs; tickets open where one is needed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.airline_stand_ins import NUMBER, MemoryKnowledge
from tests.unit.local_conversations import BAGS, Conversation
from worker.conversation.effects import Passage

SOURCE = "Source: Baggage \u203a Checked bags"


@pytest.fixture
def talk() -> Conversation:
    talk = Conversation()
    talk.knowledge = MemoryKnowledge(replace(BAGS, rank=1.7))
    return talk


async def test_a_question_beside_a_need_for_a_person_is_answered_below_the_ticket(talk: Conversation) -> None:
    answer = await talk.say("My uncle passed away and the funeral is on Thursday. Is there any relief on the fee?")

    assert answer.path[-2:] == ["faq_lookup", "escalate_to_human"]
    assert "ticket number" in answer.reply
    assert answer.reply.endswith(SOURCE)


@pytest.mark.parametrize(
    "text", ["I want to talk to a human!", "My uncle passed away this morning, I can't fly", "Where is my damn bag???"]
)
async def test_a_need_without_a_calm_question_gets_its_ticket_alone(talk: Conversation, text: str) -> None:
    answer = await talk.say(text)

    assert "ticket number" in answer.reply
    assert "Source:" not in answer.reply


async def test_a_question_about_the_rules_of_a_wish_is_answered_before_the_booking_is_asked_for(
    talk: Conversation,
) -> None:
    answer = await talk.say("can I change the destination of my reservation, or is that not possible?")

    assert SOURCE in answer.reply
    assert "confirmation number" in answer.reply


@pytest.mark.parametrize("text", ["add a bag", "I want an aisle seat", "change my flight please"])
async def test_a_plain_wish_is_served_although_articles_speak_of_it(talk: Conversation, text: str) -> None:
    talk.knowledge = MemoryKnowledge(replace(BAGS, rank=2.5))

    answer = await talk.say(text)

    assert "confirmation number" in answer.reply
    assert "Source:" not in answer.reply


async def test_a_document_is_told_the_way_to_and_no_colleague_is_offered(talk: Conversation) -> None:
    await talk.say(f"Ericsson {NUMBER}")
    told = await talk.say("can you send me my boarding pass?")
    after = await talk.say("ericsson at example dot com")
    closed = await talk.say("ok thank you")

    assert SOURCE in told.reply
    assert "colleague?" not in told.reply + after.reply
    assert "ticket number" not in closed.reply


@pytest.mark.parametrize("text", ["Great, thank you for your help!", "thanks anyway", "ok bye, have a nice day"])
async def test_thanks_that_look_back_are_no_yes_to_a_colleague(talk: Conversation, text: str) -> None:
    talk.knowledge = MemoryKnowledge()
    offered = await talk.say("What brand of soap do you have on board your flights?")

    closed = await talk.say(text)

    assert offered.reply.endswith("to a colleague?")
    assert "ticket number" not in closed.reply


async def test_each_part_has_its_passage_and_the_rest_is_named_as_not_found(talk: Conversation) -> None:
    class OneSubject(MemoryKnowledge):
        async def search(self, tenant: str, question: str, limit: int, about: str = "") -> list[Passage]:
            found = await super().search(tenant, question, limit, about)
            return found if "bag" in question and "soap" not in question else []

    talk.knowledge = OneSubject(replace(BAGS, rank=1.7))

    answer = await talk.say("How many bags can I check? Which brand of soap is on board?")

    assert answer.reply.count("Source:") == 1
    assert "\u201cWhich brand of soap is on board?\u201d" in answer.reply
    assert answer.reply.endswith("Shall I pass this on to a colleague?")
