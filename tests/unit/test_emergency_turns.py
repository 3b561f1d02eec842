"""Test how an emergency is answered: at once, whatever the model, with whom to call, and an urgent ticket."""

from __future__ import annotations

from datetime import timedelta
from typing import get_args

import pytest
from agents.testing import ScriptedModel

from schema.settings import Settings
from tests.unit.acting import Talk
from tests.unit.airline_stand_ins import NOW
from worker.conversation.vocabulary import EmergencyKind
from worker.domains.airline.domain import AIRLINE
from worker.domains.airline.local.model import LocalModel

MESSAGES: dict[EmergencyKind, str] = {
    "poisoning": "my toddler swallowed bleach",
    "medical": "a passenger has collapsed in row 14",
    "self_harm": "I am going to kill myself",
    "security": "there is a bomb on LF118, you idiots",
    "violence": "my boyfriend is threatening me, is he on my flight?",
    "trafficking": "they took my passport and won't let me leave",
    "lost_child": "I can't find my son at the gate",
}


def test_every_kind_has_a_message_here_and_a_text() -> None:
    assert set(MESSAGES) == set(get_args(EmergencyKind)) == set(AIRLINE.vocabulary.emergency_advice)


@pytest.mark.parametrize("kind", MESSAGES)
async def test_an_emergency_is_answered_before_any_model_is_asked(kind: EmergencyKind) -> None:
    talk = Talk(ScriptedModel([]))  # one that is asked anything fails the turn

    answer = await talk.say(MESSAGES[kind])

    assert answer.outcome == "escalated"
    assert answer.escalation is not None
    assert (answer.escalation.category, answer.escalation.priority) == ("emergency", "urgent")
    assert answer.escalation.answer_by == NOW + timedelta(minutes=5)
    assert [name for name, _ in answer.events] == ["conversation.escalated", "message.emergency"]
    assert answer.events[1][1]["kind"] == kind


@pytest.mark.parametrize("kind", MESSAGES)
async def test_the_text_names_whom_to_call_and_asks_for_nothing(kind: EmergencyKind) -> None:
    settings = Settings(emergency_number="000", crisis_line="ring Lifeline, 13 11 14")
    talk = Talk(ScriptedModel([]), settings=settings)

    reply = (await talk.say(MESSAGES[kind])).reply or ""

    assert "call the emergency number" in reply.lower()
    assert "000" in reply
    assert ("13 11 14" in reply) == (kind in {"self_harm", "poisoning"})
    assert "?" not in reply
    assert "confirmation" not in reply
    assert "abus" not in reply
    assert "{" not in reply


async def test_each_message_about_an_emergency_opens_a_ticket_and_what_follows_is_served() -> None:
    talk = Talk(LocalModel())

    first = await talk.say("my father is unconscious at gate 4")
    second = await talk.say("he is not breathing now")
    third = await talk.say("The crew has him, thank you. How heavy may a checked bag be?")

    assert first.reply != second.reply
    assert [answer.outcome for answer in (first, second)] == ["escalated", "escalated"]
    assert third.escalation is None
