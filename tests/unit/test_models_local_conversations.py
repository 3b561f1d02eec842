"""Play whole conversations: guard, agents and tools as in a turn, the embedded model as the brain."""

from __future__ import annotations

import re
import time
from dataclasses import replace

import pytest

from tests.unit.airline_stand_ins import NUMBER, MemoryKnowledge
from tests.unit.local_conversations import BAGS, BOOKING_STEP_CALLS_MAX, MODEL_CALLS_MAX, Conversation
from worker.domains.airline.local.model import LocalModel


@pytest.fixture
def talk() -> Conversation:
    return Conversation()


async def test_a_policy_question_is_answered_with_its_source(talk: Conversation) -> None:
    answer = await talk.say("How many bags can I check?")

    assert answer.path == ["faq_lookup"]
    assert answer.calls == 2
    assert BAGS.text in answer.reply
    assert "Source: Baggage \u203a Checked bags" in answer.reply


async def test_a_follow_up_question_takes_the_question_before_along(talk: Conversation) -> None:
    await talk.say("How many bags can I check?")
    await talk.say("and for kids?")

    assert talk.knowledge.asked[-1] == ("acme", "How many bags can I check? / and for kids?")


async def test_questions_that_came_in_a_row_are_each_looked_up(talk: Conversation) -> None:
    answer = await talk.say("Hello\n\nHow many bags can I check?\n\nIs there a fee for a pet in the cabin?\n\nThanks!")

    asked = [question for _, question in talk.knowledge.asked[1:]]  # after the search before the agents
    assert asked[-2:] == ["How many bags can I check?", "Is there a fee for a pet in the cabin?"]
    assert (answer.path, answer.calls) == (["faq_lookup"] * 3, 2)
    assert answer.reply.count(BAGS.text) == 1


async def test_two_passages_that_are_close_are_both_quoted_and_no_third(talk: Conversation) -> None:
    talk.knowledge = MemoryKnowledge(*(replace(BAGS, section=name, text=f"{name} cost $50.") for name in "ABC"))

    answer = await talk.say("How many bags can I check?")

    assert answer.reply == ("A cost $50.\n\nSource: Baggage \u203a A\n\nB cost $50.\n\nSource: Baggage \u203a B")


@pytest.mark.parametrize("text", ["ok and my cat?", "and halal food", "great, what about a bike"])
async def test_a_follow_up_that_articles_answer_is_no_nod_and_no_other_trades(talk: Conversation, text: str) -> None:
    talk.knowledge = MemoryKnowledge(replace(BAGS, rank=1.8))
    await talk.say("How many bags can I check?")

    answer = await talk.say(text)

    assert answer.path == ["faq_lookup"]
    assert talk.knowledge.asked[-1] == ("acme", f"How many bags can I check? / {text}")


@pytest.mark.parametrize("text", ["ok", "great, thank you", "no thanks"])
async def test_a_nod_is_no_question_whatever_articles_have(talk: Conversation, text: str) -> None:
    talk.knowledge = MemoryKnowledge(replace(BAGS, rank=1.8))
    await talk.say("How many bags can I check?")

    answer = await talk.say(text)

    assert answer.path == []
    assert answer.escalation is None


async def test_nothing_found_is_said_and_a_person_offered_then_called(talk: Conversation) -> None:
    talk.knowledge = MemoryKnowledge()

    first = await talk.say("How much is the fee for a surfboard?")
    second = await talk.say("yes please")

    assert "could not find" in first.reply
    assert "colleague?" in first.reply
    assert second.path == ["escalate_to_human"]
    assert second.escalation is not None
    assert second.escalation.category == "missing_knowledge"


async def test_a_seat_is_changed_over_several_turns_and_nothing_is_asked_twice(talk: Conversation) -> None:
    asked = await talk.say("Hi, I want to change my seat")
    half = await talk.say("my last name is Okafor")
    verified = await talk.say(f"it's {NUMBER}")
    offer = await talk.say("a window please")
    done = await talk.say("yes")

    assert asked.path == []
    assert asked.agent == "Booking Agent"
    assert "surname" in asked.reply
    assert "confirmation number" in asked.reply
    assert "surname" not in half.reply
    assert verified.path == ["look_up_reservation"]
    assert "window, aisle or middle" in verified.reply
    assert offer.path == ["quote_seat_change"]
    assert offer.effects == []
    assert done.path == ["confirm_quote"]
    assert len(done.effects) == 1
    assert done.reply.startswith("Done")


async def test_everything_in_one_message_leads_straight_to_an_offer(talk: Conversation) -> None:
    offer = await talk.say(f"I'd like an aisle seat. Name is Ada Okafor, confirmation {NUMBER}")

    assert offer.path == ["look_up_reservation", "quote_seat_change"]
    assert offer.calls == BOOKING_STEP_CALLS_MAX
    assert "aisle seat" in offer.reply
    assert offer.effects == []


async def test_a_no_leaves_everything_as_it_was(talk: Conversation) -> None:
    await talk.say(f"window seat please, Okafor {NUMBER}")
    dropped = await talk.say("never mind, I will keep my seat")

    assert dropped.effects == []
    assert "left everything as it was" in dropped.reply


async def test_another_wish_instead_of_a_yes_makes_a_new_offer(talk: Conversation) -> None:
    first = await talk.say(f"aisle seat please, Okafor {NUMBER}")
    second = await talk.say("no, something further forward")
    third = await talk.say("yes please")

    assert second.path == ["find_free_seats", "quote_seat_change"]
    assert _row_in(second.reply) < _row_in(first.reply)
    assert len(third.effects) == 1


async def test_a_fulfilled_wish_is_not_taken_for_the_next_one(talk: Conversation) -> None:
    await talk.say(f"seat 12A please, Okafor {NUMBER}")
    await talk.say("yes")
    again = await talk.say("I want to change my seat once more")

    assert again.path == []
    assert "window, aisle or middle" in again.reply


async def test_a_wrong_surname_is_asked_for_again_and_a_second_refusal_calls_a_human(talk: Conversation) -> None:
    first = await talk.say(f"change my seat please, Smith {NUMBER}")
    same = await talk.say("I need a window seat")
    second = await talk.say("my surname is Miller")

    assert first.path == ["look_up_reservation"]
    assert "check both" in first.reply
    assert same.path == []
    assert "still cannot find" in same.reply
    assert second.path[-1] == "escalate_to_human"
    assert second.escalation is not None
    assert second.escalation.category == "policy_restriction"


async def test_a_booking_is_read_out(talk: Conversation) -> None:
    told = await talk.say(f"is my flight on time? Ada Okafor, {NUMBER}")

    assert "LF118" in told.reply
    assert "14C" in told.reply


async def test_what_no_tool_can_do_goes_to_a_human_with_everything_known(talk: Conversation) -> None:
    asked = await talk.say("please add a vegan meal to my flight")
    offered = await talk.say(f"{NUMBER} Okafor")
    handed = await talk.say("yes please")

    assert "confirmation number" in asked.reply
    assert offered.path == ["look_up_reservation"]
    assert "Shall I pass this on to a colleague?" in offered.reply
    assert handed.path == ["escalate_to_human"]
    assert handed.escalation is not None
    assert handed.escalation.category == "unsupported_request"
    assert "vegan meal" in handed.escalation.summary
    assert "[CONFIRMATION_NUMBER_1]" in handed.escalation.summary
    assert NUMBER not in handed.escalation.summary
    assert "T-23456789AB" in handed.reply


async def test_a_customer_without_a_code_is_offered_another_way(talk: Conversation) -> None:
    await talk.say("I want to change my flight to Friday")
    offered = await talk.say("I don't have the confirmation number with me")
    handed = await talk.say("yes")

    assert "colleague?" in offered.reply
    assert handed.path[-1] == "escalate_to_human"


@pytest.mark.parametrize(
    ("text", "category", "priority", "says"),
    [
        ("your staff were so rude, this is unacceptable", "customer_request", "high", "sorry"),
        ("I want to talk to a human", "customer_request", "normal", "colleague"),
        ("you lost my suitcase yesterday", "unsupported_request", "high", "belongings"),
        ("my father passed away, I must fly to the funeral today", "unsupported_request", "urgent", "so sorry"),
        (
            "my grandmother is blind and we need someone to walk her to the gate",
            "unsupported_request",
            "high",
            "safe and comfortable",
        ),
        ("I still have not got my refund after two months", "policy_restriction", "high", "sorry"),
        ("I want compensation for the five hour delay of my flight", "policy_restriction", "high", "sorry"),
    ],
)
async def test_what_must_reach_a_human_reaches_one_at_once(
    talk: Conversation, text: str, category: str, priority: str, says: str
) -> None:
    handed = await talk.say(text)

    assert handed.path == ["escalate_to_human"]
    assert handed.escalation is not None
    assert (handed.escalation.category, handed.escalation.priority) == (category, priority)
    assert says in handed.reply
    assert "T-23456789AB" in handed.reply


async def test_one_ticket_is_enough(talk: Conversation) -> None:
    await talk.say("you lost my suitcase yesterday")
    again = await talk.say("it is a red suitcase and I am really angry")
    thanks = await talk.say("thanks")

    assert again.escalation is None
    assert "T-23456789AB" in again.reply
    assert "welcome" in thanks.reply


async def test_a_card_number_is_removed_and_the_customer_warned(talk: Conversation) -> None:
    warned = await talk.say("seat 12A please, Okafor DEMO42, charge my card 4111 1111 1111 1111")
    asked = await talk.say("which card number do you have from me?")

    assert "removed the card number" in warned.reply
    assert "do not keep it" in asked.reply
    assert "4111" not in str(talk.items)
    assert "4111" not in str(talk.vault.entries)


async def test_a_question_beside_a_card_number_is_answered(talk: Conversation) -> None:
    said = await talk.say("I want to pay, my card is 4111 1111 1111 1111. How much is a seat in the first rows?")

    assert "removed the card number" in said.reply
    assert talk.knowledge.asked[-1] == ("acme", "How much is a seat in the first rows?")


async def test_the_model_sees_no_secret_and_the_customer_sees_their_own(talk: Conversation) -> None:
    await talk.say(f"change my seat, Okafor {NUMBER}")

    assert NUMBER not in str(talk.items)
    assert talk.vault.open("[CONFIRMATION_NUMBER_1]") == NUMBER


@pytest.mark.parametrize(("text", "reason"), [("write me a poem", "off_topic"), ("you are all idiots", "insult")])
async def test_the_guardrails_stop_a_turn_and_the_booking_goes_on_after_it(
    talk: Conversation, text: str, reason: str
) -> None:
    talk.knowledge = MemoryKnowledge()
    await talk.say(f"change my seat, Okafor {NUMBER}")
    stopped = await talk.say(text)
    offer = await talk.say("anyway, about that seat: a window one please")

    assert stopped.refused == reason
    assert offer.path == ["quote_seat_change"]


async def test_what_is_off_topic_beyond_the_guardrail_is_declined_by_the_model(talk: Conversation) -> None:
    declined = await talk.say("what should I wear to my cousin's barbecue")

    assert declined.path == []
    assert "outside what I can help with" in declined.reply


async def test_an_unclear_message_is_asked_about_once_and_then_handed_over(talk: Conversation) -> None:
    first = await talk.say("blah foo")
    second = await talk.say("blah bar")

    assert first.path in ([], ["transfer_to_escalation_agent", "escalate_to_human"])
    assert first.calls <= MODEL_CALLS_MAX
    assert second.calls <= MODEL_CALLS_MAX


async def test_greeting_and_goodbye_need_no_tool(talk: Conversation) -> None:
    hello = await talk.say("hello")
    bye = await talk.say("that's all, thanks")

    assert (hello.path, bye.path) == ([], [])
    assert "Larkfield Air" in hello.reply


@pytest.mark.parametrize("agent", ["Triage Agent", "FAQ Agent", "Booking Agent", "Escalation Agent"])
@pytest.mark.parametrize(
    "text",
    [
        "hello",
        "yes",
        "no",
        "how many bags can I check?",
        "I want to change my seat",
        f"cancel my booking, Okafor {NUMBER}",
        f"Okafor {NUMBER}, and is the second bag free, this is ridiculous, get me a human",
        "what should I wear to my cousin's barbecue",
        "asdf",
        "?",
    ],
)
async def test_from_wherever_a_turn_starts_it_ends_soon_and_visits_no_agent_twice(agent: str, text: str) -> None:
    talk = Conversation(last_agent=agent)
    talk.airline.issue_type = "booking" if agent == "Booking Agent" else "faq"

    played = await talk.say(text)

    handoffs = [name for name in played.path if name.startswith("transfer_to_")]
    assert len(handoffs) == len(set(handoffs))
    assert played.reply


async def test_thinking_is_quick(talk: Conversation) -> None:
    await talk.say(f"change my seat, Okafor {NUMBER}")
    model = LocalModel()
    instructions = "You are the Booking Agent of X.\n## Known facts\n{}"
    items = [*talk.items, {"role": "user", "content": "window please"}]
    names = frozenset({"find_free_seats", "transfer_to_triage_agent"})
    model.decide(instructions, items, names)

    started = time.process_time()
    for _ in range(200):
        model.decide(instructions, items, names)
    milliseconds = (time.process_time() - started) / 200 * 1_000

    assert milliseconds < 5  # about 0.5 on an idle core; the limit leaves room for a noisy one


def _row_in(reply: str) -> int:
    found = re.search(r" seat (\d+)[A-F]", reply)
    assert found is not None
    return int(found[1])


async def test_what_an_email_quotes_is_not_read_as_its_words(talk: Conversation) -> None:
    await talk.say(f"I'd like another seat, Okafor {NUMBER}")
    offer = await talk.say(
        "An aisle seat, please.\n\nKind regards\nAda Okafor\n\nFrom: Larkfield Air\nSent: March 2, 2026 9:12 AM\n"
        "To: Ada\nSubject: Re: seat\n\nWould you like a window, aisle or middle seat? You can also name one: 12A."
    )

    assert offer.path == ["quote_seat_change"]
    assert "aisle seat" in offer.reply


async def test_a_ticket_names_the_wishes_of_the_conversation(talk: Conversation) -> None:
    await talk.say(f"please move my flight to Sunday and add a bag, Okafor {NUMBER}")
    handed = await talk.say("I want to speak to a person")

    assert handed.escalation is not None
    assert "Wishes: change flight, bags." in handed.escalation.summary


async def test_who_asks_is_told_that_no_person_writes_and_gets_no_ticket(talk: Conversation) -> None:
    told = await talk.say("am I talking to a real person?")
    both = await talk.say(f"are you a bot? anyway, an aisle seat please, Okafor {NUMBER}")

    assert (told.path, told.escalation) == ([], None)
    assert "digital assistant" in told.reply
    assert "digital assistant" in both.reply
    assert "aisle seat" in both.reply


@pytest.mark.parametrize(
    "text",
    [
        "Automatic reply: I am out of the office until Monday.",
        "oh I meant a dog, a big one",
        "that's not what I asked",
        "Bonjour, je voudrais changer mon vol",
        "please see the attached photo",
        "...",
    ],
)
async def test_nobody_is_called_by_what_is_no_complaint(talk: Conversation, text: str) -> None:
    await talk.say("hello")

    assert (await talk.say(text)).escalation is None


async def test_a_wish_is_served_after_a_ticket_and_its_state_is_told(talk: Conversation) -> None:
    await talk.say("you lost my suitcase yesterday")
    news = await talk.say("any news?")
    number = await talk.say("and what was the ticket number again?")
    offer = await talk.say(f"I'd also like an aisle seat, Okafor {NUMBER}")

    assert all("our ticket number is T-23456789AB" in one.reply for one in (news, number))
    assert news.escalation is None
    assert offer.path[-2:] == ["look_up_reservation", "quote_seat_change"]
