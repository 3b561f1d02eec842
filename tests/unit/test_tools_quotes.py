"""What holds for every kind of quote, over a stand-in for the airline's system."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.unit.airline_stand_ins import (
    NOW,
    call,
    next_turn,
)
from tests.unit.quote_cases import (
    CASES,
    Case,
    backend_of,
    quote_of,
    quoted,
    turn_for,
)
from worker.conversation.context import Quote
from worker.conversation.effects import Effect
from worker.domains.airline.tools.quotes import QUOTE_TOOLS, confirm_quote

every_case = pytest.mark.parametrize("case", CASES, ids=[case.kind for case in CASES])


def test_every_kind_of_quote_is_tested() -> None:
    assert {case.tool.name for case in CASES} == {tool.name for tool in QUOTE_TOOLS} - {"confirm_quote"}


@every_case
async def test_a_quote_says_exactly_what_is_offered_and_changes_nothing(case: Case) -> None:
    turn = turn_for(case)

    answer = await call(case.tool, turn, **case.arguments)

    assert answer == {
        "ok": True,
        "quote": {
            "quote_id": quote_of(turn).quote_id,
            "kind": case.kind,
            "summary": case.summary,
            "price_usd": case.price_usd,
        },
    }
    assert turn.effects == []
    assert quote_of(turn).expires_at == NOW + timedelta(minutes=30)


@every_case
async def test_a_yes_in_a_later_message_stages_the_effect_under_the_calls_id(case: Case) -> None:
    turn, quote_id = await quoted(case)
    turn = next_turn(turn, case.yes)

    answer = await call(confirm_quote, turn, quote_id=quote_id)

    (effect,) = turn.effects
    assert (effect.query, effect.rows) == (case.query, 1)
    details = effect.parameters.pop("details")
    assert isinstance(details, dict)
    assert not {"Ada", "Okafor", "4242"} & set(str(details).split())
    assert effect.parameters == {
        "reservation_id": 7,
        "version": 3,
        "conversation_id": "c1",
        "tool_call_id": "call_1",
        **case.change,
    }
    summary = answer.pop("summary")
    assert summary.endswith(".")
    assert answer == {"ok": True, "kind": case.kind, "price_usd": case.price_usd, **case.shown}
    assert (turn.airline.quote, turn.airline.issue_resolved, turn.airline.refusals) == (None, True, 0)
    assert {name: getattr(turn.airline, name) for name in case.facts} == case.facts


@every_case
async def test_a_quote_is_not_confirmed_in_the_turn_that_made_it(case: Case) -> None:
    turn, quote_id = await quoted(case)

    answer = await call(confirm_quote, replace(turn, text=case.yes), quote_id=quote_id)

    assert answer["refusal"] == "not_yet_confirmed"
    assert turn.effects == []


@every_case
@pytest.mark.parametrize("text", ["no thanks", "how much is it?", "yes, but use another card", "thank you", "hm"])
async def test_a_model_that_takes_no_for_a_yes_is_refused(case: Case, text: str) -> None:
    turn, quote_id = await quoted(case)
    turn = next_turn(turn, text)

    answer = await call(confirm_quote, turn, quote_id=quote_id)

    assert answer["refusal"] == "not_yet_confirmed"
    assert turn.effects == []
    assert turn.airline.quote is not None


@every_case
async def test_a_booking_changed_since_is_offered_afresh(case: Case) -> None:
    turn, quote_id = await quoted(case)
    backend_of(turn).change(version=4)
    turn = next_turn(turn, case.yes)

    answer = await call(confirm_quote, turn, quote_id=quote_id)

    assert answer["refusal"] == "quote_expired"
    assert case.summary in answer["message"]
    assert turn.effects == []
    assert answer["quote"]["quote_id"] == quote_of(turn).quote_id != quote_id


@every_case
async def test_a_quote_expires_after_its_minutes_and_not_before(case: Case) -> None:
    turn, quote_id = await quoted(case)
    in_time = next_turn(turn, case.yes, now=NOW + timedelta(minutes=30) - timedelta(seconds=1))
    late = next_turn(turn, case.yes, now=NOW + timedelta(minutes=30))

    assert (await call(confirm_quote, in_time, quote_id=quote_id))["ok"]
    assert (await call(confirm_quote, late, quote_id=quote_id))["refusal"] == "quote_expired"
    assert late.effects == []


@every_case
async def test_a_quote_is_confirmed_once(case: Case) -> None:
    turn, quote_id = await quoted(case)
    turn = next_turn(turn, case.yes)

    await call(confirm_quote, turn, quote_id=quote_id)
    again = await call(confirm_quote, turn, quote_id=quote_id)

    assert again["refusal"] == "no_such_quote"
    assert len(turn.effects) == 1


@every_case
async def test_a_turn_run_again_makes_the_same_quote(case: Case) -> None:
    _, first = await quoted(case)
    _, again = await quoted(case)

    assert first == again


@every_case
async def test_nothing_is_quoted_beside_a_change_that_is_being_made(case: Case) -> None:
    turn = turn_for(case)
    turn.effects.append(Effect("add_bags", {}, "bags"))

    answer = await call(case.tool, turn, **case.arguments)

    assert answer["refusal"] == "one_at_a_time"
    assert turn.airline.refusals == 0


@every_case
async def test_a_quote_of_an_earlier_release_is_no_longer_open(case: Case) -> None:
    turn = turn_for(case)
    turn.airline.quote = Quote(
        quote_id="q_1", kind=case.kind, details={"to_seat": "6A"}, price_usd=0, made_in_turn=0, expires_at=NOW
    )

    assert (await call(confirm_quote, turn, quote_id="q_1"))["refusal"] == "no_such_quote"


@every_case
async def test_a_yes_that_came_before_the_offer_is_no_yes_to_it(case: Case) -> None:
    asked = replace(turn_for(case), position=1, seen_position=2)
    await call(case.tool, asked, **case.arguments)
    early, later = (replace(next_turn(asked, case.yes), position=position) for position in (2, 3))

    assert (await call(confirm_quote, early, quote_id=quote_of(asked).quote_id))["refusal"] == "quote_expired"
    assert early.effects == []
    assert (await call(confirm_quote, later, quote_id=quote_of(asked).quote_id))["ok"]


@every_case
async def test_a_yes_taken_back_in_the_next_message_is_no_yes(case: Case) -> None:
    turn, quote_id = await quoted(case)
    mails = (f"{case.yes}\n\nOn Monday the airline wrote:\n> Shall I?", "wait, not yet")
    taken_back = next_turn(turn, "\n\n".join(mails), texts=mails)
    thanked = next_turn(turn, f"{case.yes}\n\nthank you so much", texts=(case.yes, "thank you so much"))

    assert (await call(confirm_quote, taken_back, quote_id=quote_id))["refusal"] == "not_yet_confirmed"
    assert taken_back.effects == []
    assert (await call(confirm_quote, thanked, quote_id=quote_id))["ok"]
