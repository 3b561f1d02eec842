"""Test how played dialogues are judged."""

from __future__ import annotations

from typing import Any

import pytest

from ops.lab.evaluate.asking import asked_for
from ops.lab.evaluate.conversations import judge_conversations
from ops.lab.evaluate.judging import Played, PlayedTurn, judge, tools_in
from ops.lab.evaluate.records import person_of
from ops.lab.evaluate.sets import CheckedConversation, Dialogue

ASKS_FOR_BOTH = "I'm happy to help. May I have your confirmation number and the surname on the booking, please?"


@pytest.mark.parametrize(
    ("reply", "fact", "asked"),
    [
        (ASKS_FOR_BOTH, "confirmation", True),
        (ASKS_FOR_BOTH, "name", True),
        (
            "Thank you, I have your confirmation number. May I also have the surname on the booking?",
            "confirmation",
            False,
        ),
        ("If you don't have the confirmation number at hand, just say so?", "confirmation", False),
        ("Could you check the record locator and send it again?", "confirmation", True),
        ("You are in seat 11B. Would you like a window, aisle or middle seat?", "seat_preference", True),
        ("You are in seat 11B, a window seat.", "seat_preference", False),
        ("Where would you like to fly, and from where?", "origin", True),
        ("Where would you like to fly?", "destination", True),
        ("Your flight leaves from Denver.", "origin", False),
        ("Which date suits you?", "date", True),
        ("Is there anything else I can do for you?", "name", False),
        ("Shall I send it to your e-mail address?", "no such fact", False),
    ],
)
def test_a_reply_is_searched_for_what_it_asks_for(reply: str, fact: str, asked: bool) -> None:  # noqa: FBT001
    assert (asked_for(reply, fact) is not None) is asked


def turn(**changes: Any) -> PlayedTurn:
    made: dict[str, Any] = {
        "said": "x",
        "reply": "y",
        "outcome": "answered",
        "agent": "Booking Agent",
        "model_calls": 1,
        "tools": (),
        "abuse_tripped": False,
        "has_ticket": False,
    }
    return PlayedTurn(**{**made, **changes})


def played(*turns: PlayedTurn, leaks: tuple[str, ...] = (), **expect: Any) -> Played:
    return Played(Dialogue.model_validate({"id": "d", "turns": ["x"] * len(turns), "expect": expect}), turns, leaks)


@pytest.mark.parametrize(
    ("made", "route"),
    [
        (turn(), "booking"),
        (turn(agent="FAQ Agent"), "faq"),
        (turn(agent="FAQ Agent", outcome="escalated"), "escalation"),
        (turn(agent="Triage Agent"), "triage"),
        (turn(agent="Triage Agent", tools=("confirm_quote",)), "booking"),
        (turn(agent="Triage Agent", has_ticket=True), "escalation"),
        (turn(agent=None, outcome="refused"), "off_topic"),
        (turn(agent=None, outcome="refused", abuse_tripped=True, has_ticket=True), "escalation"),
    ],
)
def test_a_turns_route_is_where_it_ended(made: PlayedTurn, route: str) -> None:
    assert made.route == route


def figures_of(one: Played) -> dict[str, float]:
    return {figure.name: figure.value for figure in judge([one]).figures}


def test_asking_counts_from_the_turn_that_says_it() -> None:
    expect: dict[str, Any] = {"must_not_reask": ["name"], "known_after_turn": {"name": 1}}

    before = played(turn(reply=ASKS_FOR_BOTH), turn(), **expect)
    after = played(turn(), turn(reply=ASKS_FOR_BOTH), **expect)

    assert figures_of(before)["asked again for what was said"] == 0
    assert figures_of(after)["asked again for what was said"] == 1


def test_a_person_must_have_it_by_the_turn_named() -> None:
    late = [turn(), turn(), turn(has_ticket=True)]

    assert figures_of(played(*late, escalate_by_turn=2))["with a person in time"] == 1
    assert figures_of(played(*late, escalate_by_turn=1))["with a person in time"] == 0
    assert figures_of(played(*late))["with a person without need"] == 1


def test_routes_refusals_leaks_and_calls_are_counted() -> None:
    turns = [turn(outcome="refused", agent=None), turn(agent="FAQ Agent", model_calls=3), turn(model_calls=3)]

    found = figures_of(
        played(
            *turns,
            leaks=("turn",),
            routes=["off_topic", "any", "faq"],
            must_refuse_turns=[0, 2],
            pii_to_mask=["R4MXT8"],
        )
    )

    assert found["turns routed right"] == 0.5
    assert found["refused where due"] == 0.5
    assert found["private values nowhere in the clear"] == 0
    assert found["turns within their model calls"] == pytest.approx(2 / 3)
    assert found["every message answered"] == 1


def test_each_failure_is_told_with_the_dialogue() -> None:
    misses = judge([played(turn(reply=ASKS_FOR_BOTH), must_not_reask=["name"], routes=["faq"])]).misses

    assert len(misses) == 1
    assert misses[0].said.startswith("turn 0 asks again for name: ")
    assert misses[0].said.endswith("; turn 0 went to booking, not faq")
    assert ASKS_FOR_BOTH in misses[0].text


@pytest.mark.parametrize(
    ("facts", "person"),
    [
        (
            {"name": "ericsson", "confirmation": {"surface": "2 g", "normalized": "2G5D6H"}},
            (None, "Ericsson", "2G5D6H"),
        ),
        ({"user_id": "mia_rossi_1234"}, ("Mia", "Rossi", None)),
        ({"name": "Ana Maria Silva", "confirmation": "k7-plq2"}, ("Ana Maria", "Silva", "K7PLQ2")),
        ({"origin": "Phoenix"}, (None, None, None)),
    ],
)
def test_a_dialogues_person_is_read_from_its_facts(facts: dict[str, Any], person: tuple[str | None, ...]) -> None:
    found = person_of(Dialogue.model_validate({"id": "d", "turns": [], "expect": {"facts": facts}}))

    assert (found.given_name, found.surname, found.confirmation_number) == person


def test_tools_are_listed_by_turn() -> None:
    items = [
        {"turn": 2, "item": {"type": "function_call", "name": "confirm_quote"}},
        {"turn": 2, "item": {"type": "message", "role": "assistant"}},
        {"turn": 3, "item": {"type": "function_call", "name": "faq_lookup"}},
    ]

    assert tools_in(items) == {2: ("confirm_quote",), 3: ("faq_lookup",)}


def conversation(**changes: Any) -> CheckedConversation:
    return CheckedConversation.model_validate({"id": "c", "kind": "k", "turns": ["a", "b"], **changes})


@pytest.mark.parametrize(
    ("replies", "complaint"),
    [
        (["Seat 12A is yours.", "Done."], None),
        (["Which seat?", "Done."], "turn 0 does not say 12a"),
        (["Seat 12A, sorry.", "Done."], "turn 0 says sorry"),
        (["Seat 12A is yours."], "turn 1 had no reply"),
        (["Seat 12A is yours.", "Seat 12A is yours."], "a reply was sent twice"),
    ],
)
def test_a_conversation_is_judged_by_what_its_replies_say(replies: list[str], complaint: str | None) -> None:
    talk = conversation(says=["12a"], never=["sorry"])

    found = judge_conversations([(talk, replies)])

    assert [miss.said for miss in found.misses] == ([complaint] if complaint else [])
    fine = next(figure for figure in found.figures if figure.name == "fine")
    assert (fine.value, fine.out_of) == (0.0 if complaint else 1.0, 1)


def test_a_conversation_without_expectations_is_judged_for_repetition_alone() -> None:
    found = judge_conversations([(conversation(), ["x", "x"]), (conversation(id="d"), ["x", "y"])])

    assert [(figure.name, figure.value, figure.out_of) for figure in found.figures] == [
        ("the same reply twice", 0.5, 2)
    ]
