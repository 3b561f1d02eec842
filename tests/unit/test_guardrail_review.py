"""Test what becomes of a reply that breaks a rule: written again once, then the tools' own words, else a person."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from agents.testing import ScriptedModel, assistant_message, function_call

from tests.unit.acting import Talk
from tests.unit.airline_stand_ins import NUMBER, PLACEHOLDER, MemoryKnowledge
from worker.conversation.effects import Passage
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


PASSAGE = Passage("Baggage", "Overweight bags", "baggage", "A checked bag over 50 lbs costs $50.", 1.0)
LOOK_UP = function_call("faq_lookup", {"question": "a heavy bag"}, call_id="c1")
ESCALATE = function_call(
    "escalate_to_human",
    {"category": "policy_restriction", "reason": "wants money", "summary": "The fare of $310.", "priority": "high"},
    call_id="c1",
)


async def test_after_two_breaches_the_articles_speak_for_themselves() -> None:
    talk = Talk(scripted(LOOK_UP, "It costs $75.", "It costs $80."), last_agent="FAQ Agent")
    talk.knowledge = MemoryKnowledge(PASSAGE)

    answer = await talk.say("what do I pay for a heavy bag?")

    assert reviews(answer) == ["unfounded_answer", "unfounded_answer", "none"]
    assert answer.reply == "A checked bag over 50 lbs costs $50.\n\nSource: Baggage \u203a Overweight bags"
    assert answer.outcome == "answered"
    assert answer.agent == "FAQ Agent"
    assert [item.get("role") or item["type"] for item in answer.items] == [
        "user",
        "function_call",
        "function_call_output",
        "assistant",
    ]


async def test_after_two_breaches_an_offer_is_made_in_the_tools_words_and_a_yes_takes_it_up() -> None:
    talk = Talk(LocalModel())
    await talk.say(f"Ada Okafor, {NUMBER}")
    quote = function_call("quote_seat_change", {"preference": "window"}, call_id="c1")
    talk.model = scripted(quote, "All set, 7F is yours.", "I moved you to 7F.")

    offered = await talk.say("a window seat on LF118 please")
    assert talk.airline.quote is not None
    talk.model = LocalModel()
    done = await talk.say("yes please")

    assert str(offered.reply).startswith("Here is what I can do: Move Ada Okafor")
    assert offered.effects == []
    assert [effect.query for effect in done.effects] == ["move_to_seat"]


async def test_after_two_breaches_a_ticket_keeps_what_it_was_opened_with() -> None:
    promise = "I have processed a full refund of $310."
    hand_over = function_call("transfer_to_escalation_agent", {}, call_id="c0")
    talk = Talk(scripted(hand_over, ESCALATE, promise, promise))

    answer = await talk.say("give me my money back")

    assert answer.escalation is not None
    assert (answer.escalation.category, answer.escalation.priority) == ("policy_restriction", "high")
    assert answer.escalation.summary == "The fare of $310."
    assert answer.outcome == "escalated"
    assert str(answer.context.ticket_id) in str(answer.reply)
    assert "refund" not in str(answer.reply)


async def test_after_two_breaches_a_refusal_is_told_as_the_tool_words_it() -> None:
    look_up = function_call("look_up_reservation", {"confirmation_number": "ZZZ999", "surname": "Okafor"}, call_id="c1")
    talk = Talk(scripted(look_up, "You fly on LF999.", "You sit in 29F."), last_agent="Booking Agent")

    answer = await talk.say("Okafor, ZZZ999")

    assert str(answer.reply).startswith("I could not find a booking with that confirmation number and surname.")
    assert answer.escalation is None


async def test_a_model_is_told_what_nothing_stands_behind() -> None:
    model = scripted("It is $412 for seat 29F.", HONEST)

    await Talk(model).say("where is my money?")

    assert "$412; seat 29F" in model.calls[1].input[-1]["content"]


async def test_a_models_thoughts_are_neither_sent_nor_remembered() -> None:
    talk = Talk(scripted("<think>They greet me.</think>\n\n**Hello!** How can I help?"))

    answer = await talk.say("hello")

    assert answer.reply == "Hello! How can I help?"
    assert answer.items[-1] == {"role": "assistant", "content": "Hello! How can I help?"}
    assert reviews(answer) == ["none"]


LONG, SHORT = "Let me tell you about that. " * 80, "Let me tell you about that. Shall I tell you the rest?"
TEXT_MESSAGE_MAX = 1_600


async def test_a_reply_too_long_for_a_text_message_is_written_again_in_fewer_sentences() -> None:
    model = scripted(LONG, SHORT)
    talk = Talk(model)

    answer = await talk.say("what can you tell me?", channel="sms")

    assert answer.reply == SHORT
    assert "at most 1600 characters" in model.calls[1].input[-1]["content"]


@pytest.mark.parametrize("second", [LONG, EMPTY_PROMISE], ids=["as long", "a promise"])
async def test_a_reply_that_cannot_be_said_shorter_ends_at_a_sentence(second: str) -> None:
    talk = Talk(scripted(LONG, second))

    answer = await talk.say("what can you tell me?", channel="sms")

    assert answer.reply is not None
    assert answer.reply.endswith("about that. \u2026")
    assert len(answer.reply) <= TEXT_MESSAGE_MAX
    assert answer.escalation is None
    assert str(talk.items[-1]["content"]) == answer.reply


async def test_a_long_reply_on_another_channel_goes_out_whole() -> None:
    answer = await Talk(scripted(LONG)).say("what can you tell me?", channel="email")

    assert answer.reply == LONG.strip()
