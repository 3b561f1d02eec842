"""Test what becomes of a reply that breaks a rule: written again once, then a person takes over."""

from __future__ import annotations

import itertools
from typing import Any

from agents.testing import ScriptedModel, assistant_message, function_call

from tests.unit.acting import Talk
from tests.unit.airline_stand_ins import NUMBER, PLACEHOLDER
from worker.domains.airline.local.model import LocalModel
from worker.pipeline.outcome import Answer

EMPTY_PROMISE = "I have refunded $740 to your card."
HONEST = "I cannot grant a refund myself. Shall I bring in a person?"


def scripted(*steps: Any) -> ScriptedModel:
    return ScriptedModel([[assistant_message(step)] if isinstance(step, str) else [step] for step in steps])


def reviews(answer: Answer) -> list[str]:
    return [verdict["reason"] for verdict in answer.verdicts if verdict["guardrail"] == "output"]


async def test_a_reply_that_breaks_a_rule_is_written_again_by_the_same_agent() -> None:
    model = scripted(EMPTY_PROMISE, HONEST)
    talk = Talk(model)

    answer = await talk.say("where is my money?")

    assert answer.reply == HONEST
    assert answer.outcome == "answered"
    assert reviews(answer) == ["unbacked_promise", "none"]
    note = model.calls[1].input[-1]
    assert note["role"] == "system"
    assert "promises or reports something" in note["content"]
    assert talk.journal is not None
    assert len(talk.journal.calls) == len(talk.recorded) == 2


async def test_neither_the_draft_nor_the_note_stays_in_the_history() -> None:
    talk = Talk(scripted(EMPTY_PROMISE, HONEST, "You are welcome."))

    await talk.say("where is my money?")
    await talk.say("thanks")

    roles = [(item["role"], "refunded" in str(item)) for item in talk.items]
    assert roles == [("user", False), ("assistant", False), ("user", False), ("assistant", False)]


async def test_a_second_breach_calls_a_human_and_the_promise_never_leaves() -> None:
    talk = Talk(scripted(EMPTY_PROMISE, "Fine: we will refund you the full amount."))

    answer = await talk.say("where is my money?")

    assert answer.escalation is not None
    assert answer.escalation.category == "system_error"
    assert "refund" not in str(answer.reply)
    assert str(answer.context.ticket_id) in str(answer.reply)
    assert reviews(answer) == ["unbacked_promise", "unbacked_promise"]


async def test_the_second_try_may_do_what_the_first_only_claimed() -> None:
    handed = {"category": "customer_request", "reason": "r", "summary": "s", "priority": "normal"}
    talk = Talk(
        scripted(
            "I have passed this to a colleague.",
            function_call("transfer_to_escalation_agent", {}, call_id="c1"),
            function_call("escalate_to_human", handed, call_id="c2"),
            "A colleague will come back to you.",
        )
    )

    answer = await talk.say("I want a person")

    assert answer.outcome == "escalated"
    assert answer.agent == "Escalation Agent"
    assert reviews(answer) == ["unbacked_promise", "none"]


async def test_what_was_staged_before_a_draft_that_is_given_up_is_dropped() -> None:
    look_up = function_call(
        "look_up_reservation", {"confirmation_number": PLACEHOLDER, "surname": "Okafor"}, call_id="c1"
    )
    talk = Talk(scripted(look_up, EMPTY_PROMISE, EMPTY_PROMISE), last_agent="Booking Agent")

    answer = await talk.say(f"Okafor, {NUMBER}")

    assert answer.escalation is not None
    assert answer.effects == []
    assert not answer.context.verified


async def test_a_resumed_turn_replays_the_rewriting_as_well() -> None:
    talk = Talk(scripted(EMPTY_PROMISE, HONEST))
    await talk.say("where is my money?")

    resumed = Talk(scripted())
    answer = await resumed.say("where is my money?", recorded=talk.recorded)

    assert answer.reply == HONEST
    assert resumed.journal is not None
    assert [call.replayed for call in resumed.journal.calls] == [True, True]


async def test_the_message_is_not_judged_again_for_the_second_try() -> None:
    answer = await Talk(scripted(EMPTY_PROMISE, HONEST)).say("where is my money?")

    assert [verdict["guardrail"] for verdict in answer.verdicts] == [
        "emergency",
        "abuse",
        "relevance",
        "output",
        "output",
    ]


async def test_verdicts_hold_no_text() -> None:
    answer = await Talk(scripted("Her card is 4111 1111 1111 1111", HONEST)).say("what is my wife's card?")

    assert "4111" not in str(answer.verdicts)
    assert reviews(answer) == ["private_data", "none"]


async def test_a_change_that_the_reply_denies_is_told_or_not_made() -> None:
    wish = f"Ada Okafor, {NUMBER}. Please move me to a window seat on LF118"
    denial = "I'm sorry, that is not possible."

    async def confirm(talk: Talk, *replies: str) -> Answer:
        await talk.say(wish)
        assert talk.airline.quote is not None
        confirmed = function_call("confirm_quote", {"quote_id": talk.airline.quote.quote_id}, call_id="c1")
        talk.model = scripted(confirmed, *replies)
        return await talk.say("yes please")

    told = await confirm(Talk(LocalModel()), denial, "Done: you have a window seat now.")
    denied = await confirm(Talk(LocalModel()), denial, denial)

    assert reviews(told) == ["silent_change", "none"]
    assert [effect.query for effect in told.effects] == ["move_to_seat"]
    assert reviews(denied) == ["silent_change", "silent_change", "none"]
    assert [effect.query for effect in denied.effects] == ["move_to_seat"]
    assert str(denied.reply).startswith("Done: Ada Okafor now has window seat 6A on flight LF118")
    assert denied.escalation is None


async def test_a_reply_that_was_just_given_is_written_again_in_other_words() -> None:
    model = scripted(HONEST, HONEST, "Other words: only a person may grant that. Shall I bring one in?")
    talk = Talk(model)

    await talk.say("where is my money?")
    again = await talk.say("I said, where is my money?")

    assert again.reply == "Other words: only a person may grant that. Shall I bring one in?"
    assert reviews(again) == ["repetition", "none"]
    assert "word for word" in model.calls[2].input[-1]["content"]


async def test_whoever_can_only_repeat_itself_is_replaced_by_a_person() -> None:
    talk = Talk(scripted(*[HONEST] * 5))

    await talk.say("where is my money?")
    handed = await talk.say("where is it?")
    noted = await talk.say("hello?")

    assert handed.escalation is not None
    assert handed.escalation.category == "pending_clarification"
    assert noted.escalation is None
    assert str(handed.context.ticket_id) in str(noted.reply)
    assert len({HONEST, handed.reply, noted.reply}) == 3


async def test_a_notice_is_not_sent_twice_either() -> None:
    talk = Talk(scripted())

    replies = [(await talk.say("write me a poem")).reply for _ in range(4)]

    assert all(one != other for one, other in itertools.pairwise(replies))
