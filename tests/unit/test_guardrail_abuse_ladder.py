"""Test how abuse is answered, message by message."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from agents.testing import ScriptedModel, assistant_message

from tests.unit.acting import Talk
from tests.unit.airline_stand_ins import NOW
from worker.guardrails.abuse_ladder import AbuseMemory, AbuseRules, AbuseStep, climb
from worker.pipeline.outcome import Answer

RULES = AbuseRules(cooling=timedelta(minutes=15), memory=timedelta(days=1))
ABUSIVE = "you are a worthless idiot"
THREAT = "I am going to find you and kill you"
CIVIL = "hello"


def steps(*moments: tuple[datetime, bool]) -> list[AbuseStep]:
    memory, taken = AbuseMemory(), []
    for now, is_threat in moments:
        step, memory = climb(memory, RULES, is_threat=is_threat, now=now)
        taken.append(step)
    return taken


def after(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)


def test_abuse_meets_a_boundary_then_a_pause_then_a_person() -> None:
    assert steps((NOW, False), (after(1), False), (after(2), False)) == ["boundary", "cool_down", "human"]


def test_a_threat_goes_to_a_person_whenever_it_comes() -> None:
    assert steps((NOW, True)) == ["human"]
    assert steps((NOW, False), (after(1), True), (after(2), True)) == ["boundary", "human", "human"]


def test_abuse_after_a_person_was_called_opens_a_second_ticket_only_after_the_pause() -> None:
    assert steps((NOW, True), (after(1), False), (after(2), False)) == ["human", "reminder", "reminder"]
    assert steps((NOW, True), (after(16), False)) == ["human", "human"]


def test_the_ladder_begins_anew_after_a_day_without_abuse() -> None:
    day = 24 * 60

    assert steps((NOW, False), (after(day + 1), False)) == ["boundary", "boundary"]
    assert steps((NOW, False), (after(day - 1), False)) == ["boundary", "cool_down"]
    assert steps((NOW, True), (after(day + 1), False)) == ["human", "boundary"]


def talk_with(replies: int) -> Talk:
    return Talk(ScriptedModel([[assistant_message("Hello, how can I help?")] for _ in range(replies)]))


def event(answer: Answer, name: str) -> dict[str, str]:
    return dict(next(attributes for event, attributes in answer.events if event == name))


async def test_each_abusive_message_leaves_an_event_with_its_step_and_asks_no_model() -> None:
    talk = talk_with(0)

    answers = [await talk.say(ABUSIVE) for _ in range(3)]

    assert [event(answer, "message.abusive")["step"] for answer in answers] == ["boundary", "cool_down", "human"]
    assert [answer.outcome for answer in answers] == ["refused", "refused", "escalated"]
    assert [answer.escalation is not None for answer in answers] == [False, False, True]
    assert "12:15 UTC" in str(answers[1].reply)


async def test_the_person_who_is_called_gets_a_ticket_of_its_kind() -> None:
    talk = talk_with(0)

    answer = await talk.say(THREAT)

    assert answer.escalation is not None
    assert (answer.escalation.category, answer.escalation.priority) == ("abuse", "urgent")
    ticket_id = event(answer, "message.abusive")["ticket_id"]
    assert ticket_id in str(answer.reply)
    assert answer.context.ticket_id == ticket_id
    assert event(answer, "conversation.escalated")["ticket_id"] == ticket_id


@pytest.mark.parametrize("times", [1, 2, 3, 4])
async def test_a_civil_message_is_served_at_any_time(times: int) -> None:
    talk = talk_with(1)
    for _ in range(times):
        await talk.say(ABUSIVE)

    answer = await talk.say(CIVIL)

    assert answer.reply == "Hello, how can I help?"
    assert answer.outcome == "answered"


async def test_abuse_that_a_person_has_on_the_desk_is_answered_with_the_ticket_there_is() -> None:
    talk = talk_with(0)
    threat = await talk.say(THREAT)

    further = await talk.say(ABUSIVE)

    assert further.escalation is None
    assert str(threat.context.ticket_id) in str(further.reply)


async def test_anger_without_abuse_goes_to_the_agents() -> None:
    talk = talk_with(1)

    answer = await talk.say("This is a disgrace, I am furious and I have had enough of your lies!")

    assert answer.outcome == "escalated"  # the agent who brings in people answered: there is a ticket
    assert [verdict["guardrail"] for verdict in answer.verdicts] == [
        "emergency",
        "abuse",
        "relevance",
        "output",
    ]
    assert not any(verdict["tripped"] for verdict in answer.verdicts)
