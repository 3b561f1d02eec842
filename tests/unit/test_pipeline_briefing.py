"""Test what a human who takes a conversation over is told."""

from __future__ import annotations

import json
from typing import Any

import pytest
from agents.testing import ScriptedModel

from schema.ids import ConversationKey
from schema.messages.escalation import BRIEFING_CHARACTERS_MAX, BRIEFING_ENTRIES_MAX, Briefing
from schema.messages.inbound import Inbound
from tests.unit.acting import Talk
from worker.conversation.context import AirlineAgentContext
from worker.domains.airline.domain import AIRLINE
from worker.pipeline.briefing import brief, refer
from worker.pipeline.outcome import Answer, OpenedMessage

LETTER = OpenedMessage(
    ConversationKey("acme", "c1"),
    3,
    Inbound(message_id="m3", tenant="acme", conversation="c1", channel="sms", sender="+1", text="hello"),
    "",
    1,
)


def call(name: str, output: Any, number: int) -> list[dict[str, Any]]:
    return [
        {"type": "function_call", "name": name, "arguments": "{}", "call_id": f"c{number}"},
        {"type": "function_call_output", "call_id": f"c{number}", "output": json.dumps(output)},
    ]


def briefed(items: list[Any], *, before: list[Any] | None = None, **changes: Any) -> Briefing:
    talk = Talk(ScriptedModel([]), items=before or [])
    answer = Answer("escalated", "reply", None, AirlineAgentContext(**changes), {}, items=items)
    return brief(AIRLINE, LETTER, talk.snapshot, answer)


def test_it_tells_what_was_tried_and_refused_in_this_turn_and_before() -> None:
    before = call("look_up_reservation", {"ok": False, "refusal": "not_found"}, 1)
    now = [
        *call("transfer_to_escalation_agent", {"assistant": "Escalation Agent"}, 2),
        *call("faq_lookup", {"ok": True}, 3),
    ]

    briefing = briefed(now, before=before)

    assert briefing.tried == ["look_up_reservation", "faq_lookup"]
    assert briefing.refused == ["not_found"]


def test_it_tells_who_the_customer_is_by_placeholder() -> None:
    briefing = briefed([], passenger_name="Ada", verified=True, confirmation_number="[CONFIRMATION_NUMBER_1]")

    assert (briefing.passenger_name, briefing.verified) == ("Ada", True)
    assert briefing.confirmation_number == "[CONFIRMATION_NUMBER_1]"
    assert briefing.channel == "sms"


@pytest.mark.parametrize(
    ("text", "sentiment"),
    [
        ("I am furious, this is a disgrace", "angry"),
        ("you lost my suitcase", "upset"),
        ("could a person call me please", "calm"),
    ],
)
def test_it_tells_how_the_customer_feels(text: str, sentiment: str) -> None:
    assert briefed([{"role": "user", "content": text}]).sentiment == sentiment


def test_a_message_that_could_not_be_read_has_no_mood() -> None:
    assert briefed([{"role": "assistant", "content": "sorry"}]).sentiment is None


def test_it_stays_within_its_limits_whatever_a_model_called() -> None:
    items = [item for number in range(50) for item in call("x" * 500 + str(number), {"refusal": f"r{number}"}, number)]

    briefing = briefed(items, passenger_name="A" * 500)

    assert len(briefing.refused) == BRIEFING_ENTRIES_MAX
    assert briefing.refused[-1] == "r49"
    assert len(briefing.tried[0]) == len(str(briefing.passenger_name)) == BRIEFING_CHARACTERS_MAX


async def test_guardrails_that_tripped_are_named() -> None:
    talk = Talk(ScriptedModel([]))
    answer = await talk.say("I am going to find you and kill you")

    briefing = brief(AIRLINE, LETTER, talk.snapshot, answer)

    assert briefing.verdicts == ["abuse: threat"]
    assert briefing.sentiment == "abusive"


def test_the_transcript_is_referred_to_by_position() -> None:
    reference = refer(LETTER, Talk(ScriptedModel([])).snapshot)

    assert (reference.conversation, reference.first_position, reference.last_position) == ("c1", 1, 3)
