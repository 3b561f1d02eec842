"""A yes answers the offer that the last reply made, whatever a model calls; and asking for one has an end."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.unit.airline_stand_ins import call, next_turn
from tests.unit.quote_cases import CASES, Case, by_kind, quote_of, quoted
from worker.conversation.context import TurnContext
from worker.domains.airline.tools.quotes import confirm_quote, quote_seat_change
from worker.store.session import last_reply_of

every_case = pytest.mark.parametrize("case", CASES, ids=[case.kind for case in CASES])
WIFI = "Wi-Fi for browsing costs $8 per flight. Is there anything else I can do for you?"


async def confirm(turn: TurnContext) -> dict[str, object]:
    return await call(confirm_quote, turn, quote_id=quote_of(turn).quote_id)


@every_case
@pytest.mark.parametrize("reply", [WIFI, "", "I'm sorry, that one is taken. Would another do?"])
async def test_an_offer_that_the_last_reply_did_not_make_is_made_again_and_never_taken_up(
    case: Case, reply: str
) -> None:
    turn, first_id = await quoted(case)
    turn = next_turn(turn, case.yes, last_reply=reply)

    answer = await confirm(turn)

    assert (answer["refusal"], turn.effects) == ("quote_expired", [])
    assert case.summary in str(answer["message"])
    assert quote_of(turn).quote_id != first_id
    assert (await confirm(next_turn(turn, "yes")))["ok"]


async def test_a_yes_after_another_seat_was_refused_does_not_move_to_the_seat_before() -> None:
    turn, _ = await quoted(by_kind("seat_change"))
    asked = next_turn(turn, "Could I have 14C instead?")
    refused = await call(quote_seat_change, asked, seat_number="14C")
    yes = next_turn(asked, "Yes, go ahead", last_reply=refused["message"])

    answer = await confirm(yes)

    assert (refused["ok"], answer["refusal"], yes.effects) == (False, "quote_expired", [])


async def test_an_offer_that_the_reviewed_reply_left_out_is_not_open_to_a_yes() -> None:
    turn, _ = await quoted(by_kind("cabin_change"))
    rewritten = "I looked into business class for you. Shall I go on?"

    assert (await confirm(next_turn(turn, "yes", last_reply=rewritten)))["refusal"] == "quote_expired"


@every_case
async def test_a_quote_that_the_release_before_stored_is_taken_up_when_the_last_reply_made_it(case: Case) -> None:
    turn, _ = await quoted(case)
    details = {name: value for name, value in quote_of(turn).details.items() if name != "new_terms"}
    turn.airline.quote = quote_of(turn).model_copy(update={"details": details})
    stored = next_turn(turn, "Yes, please go ahead")

    assert (await confirm(replace(stored, last_reply=WIFI)))["refusal"] == "quote_expired"
    assert (await confirm(next_turn(turn, "Yes, please go ahead")))["ok"]


async def test_two_messages_of_one_turn_are_one_answer() -> None:
    turn, _ = await quoted(by_kind("cancellation"))
    texts = ("Great", "I need to check with my husband first")

    assert (await confirm(next_turn(turn, "\n\n".join(texts), texts=texts)))["refusal"] == "not_yet_confirmed"
    assert (await confirm(next_turn(turn, "Great\n\nplease do", texts=("Great", "please do"))))["ok"]


@every_case
async def test_an_unclear_answer_is_asked_about_in_other_words_and_then_a_person_is_called(case: Case) -> None:
    turn, _ = await quoted(case)
    messages = []
    for text in ("Ok, I need to check with my husband", "okay bye"):
        turn = next_turn(turn, text)
        answer = await confirm(turn)
        assert (answer["refusal"], turn.escalation) == ("not_yet_confirmed", None)
        assert case.summary in str(answer["message"])
        messages.append(answer["message"])
    turn = next_turn(turn, "hm")

    last = await confirm(turn)

    assert len(set(messages)) == len(messages)
    assert (last["refusal"], last["ticket_id"]) == ("answer_unclear", turn.ticket_id)
    assert turn.escalation is not None
    assert (turn.escalation.category, turn.airline.quote, turn.effects) == ("pending_clarification", None, [])


async def test_a_model_that_never_tells_the_offer_does_not_ask_for_ever() -> None:
    turn, _ = await quoted(by_kind("bags"))
    codes = []
    for _ in range(3):
        turn = next_turn(turn, "yes", last_reply="Shall I?")
        codes.append((await confirm(turn))["refusal"])

    assert codes == ["quote_expired", "quote_expired", "answer_unclear"]
    assert turn.effects == []


async def test_a_model_that_calls_twice_in_a_turn_has_asked_once() -> None:
    turn, _ = await quoted(by_kind("bags"))
    turn = next_turn(turn, "hm")

    first, second = await confirm(turn), await confirm(turn)

    assert first == second


async def test_what_was_asked_long_ago_does_not_count() -> None:
    turn, _ = await quoted(by_kind("bags"))
    for _ in range(4):
        turn = next_turn(turn, "hm")
        assert (await confirm(turn))["refusal"] == "not_yet_confirmed"
        turn = next_turn(turn, "what does wifi cost?")  # answered without the tool
    assert turn.escalation is None


def test_the_last_reply_is_what_stands_right_before_the_message() -> None:
    said: list[dict[str, Any]] = [
        {"role": "user", "content": "hi"},
        {"type": "function_call", "call_id": "c", "name": "x"},
        {"type": "function_call_output", "call_id": "c", "output": "{}"},
        {"role": "assistant", "content": [{"type": "output_text", "text": "Hello"}]},
    ]

    assert last_reply_of(said) == "Hello"
    assert last_reply_of([*said, {"role": "assistant", "content": "Your message could not be answered."}]).startswith(
        "Your"
    )
    assert last_reply_of([*said, {"role": "user", "content": "left to a human"}]) == ""
    assert last_reply_of([]) == ""
