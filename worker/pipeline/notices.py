"""Texts that the product sends by itself, without an agent."""

from __future__ import annotations

from datetime import datetime


def emergency(advice: str, ticket_id: str, answer_by: datetime) -> str:
    """Send somebody in danger to those who can help at once; a person of ours reads it next."""
    return (
        f"{advice} Do not wait for an answer here: I am a digital assistant and cannot call anybody for you. I have "
        f"passed this on as urgent, and a colleague reads it first of all, by {_clock(answer_by)}. Your ticket number "
        f"is {ticket_id}."
    )


def boundary() -> str:
    """Set a boundary at the first abusive message, and go on helping."""
    return (
        "I can tell that something has gone badly wrong, and I want to help you with it. I can only do that without "
        "insults or threats, though. Please tell me in other words what you need, and I will take care of it."
    )


def cool_down(until: datetime) -> str:
    """Pause at the second abusive message, and say how it goes on."""
    return (
        f"Let us pause here until {_clock(until)}; I do not reply to abuse. You need not wait to write: as soon as a "
        "message comes without it, now or later, I go on with your request. If it does not stop, a colleague takes "
        "over."
    )


def abuse(ticket_id: str, answer_by: datetime) -> str:
    """Hand over to a person when abuse does not stop, or at a threat."""
    return (
        "I cannot continue while messages are abusive. I have passed the conversation to a colleague, who will read it "
        f"and come back to you by {_clock(answer_by)}. Your ticket number is {ticket_id}."
    )


def abuse_is_known(ticket_id: str) -> str:
    """Answer further abuse, for which a person has a ticket already."""
    return (
        f"Your messages are with a colleague under ticket {ticket_id}, who will come back to you. If there is "
        "something I can do for you meanwhile, write to me without insults and I will."
    )


def off_topic(brand: str) -> str:
    """Decline politely what is not the airline's matter."""
    return (
        f"I'm {brand}'s customer support, so I can't help with that one. I'm glad to help with anything about your "
        "trip: baggage, seats, changes, refunds or check-in. What can I do for you?"
    )


def awaits_approval(summary: str, decided_by: datetime) -> str:
    """Say that a person decides about what the customer has said yes to, and by when."""
    return (
        f"Thank you. Before I can make this change, a colleague has to confirm it: {summary}. Nothing is changed yet. "
        f"You hear from me here by {_clock(decided_by)}; you need not write again."
    )


def not_approved(summary: str, reason: str | None) -> str:
    """Say that a person did not agree to a change, and why."""
    why = f" The reason: {reason.rstrip('.')}." if reason else ""
    return (
        f"I am sorry: a colleague has looked at your request and could not agree to it: {summary}.{why} Nothing is "
        "changed. Is there something else that I can do for you?"
    )


def not_decided(summary: str, ticket_id: str, answer_by: datetime) -> str:
    """Say that nobody decided about a change in time, and that a person takes it up."""
    return (
        f"I am sorry that you had to wait: nobody could confirm your request in time: {summary}. Nothing is changed. I "
        f"have passed it on, ticket number {ticket_id}, and a colleague comes back to you by {_clock(answer_by)}."
    )


def unanswerable(ticket_id: str, answer_by: datetime) -> str:
    """Apologise for a failure of ours, and hand over to a person."""
    return (
        "I'm sorry, something went wrong on our side and I could not answer your message. A colleague has it now and "
        f"will come back to you by {_clock(answer_by)}. Your ticket number is {ticket_id}."
    )


def beyond_reach(ticket_id: str, answer_by: datetime) -> str:
    """Hand over to a person what the agents could not settle."""
    return (
        "This one needs a person. I have passed it to a colleague with everything you told me, and they will come back "
        f"to you by {_clock(answer_by)}. Your ticket number is {ticket_id}."
    )


def out_of_service(ticket_id: str, answer_by: datetime) -> str:
    """Say that a person answers in the bot's place, because an operator has switched off what would have answered."""
    return (
        "Thank you for your message. I cannot answer it myself at the moment, so a colleague does, by "
        f"{_clock(answer_by)}; you need not write again. Your ticket number is {ticket_id}."
    )


def passed_on(ticket_id: str, answer_by: datetime) -> str:
    """Add to an agent's own words that a person takes over."""
    return (
        f"A colleague takes over from here and will come back to you by {_clock(answer_by)}. Your ticket number is "
        f"{ticket_id}."
    )


def not_understood(ticket_id: str, answer_by: datetime) -> str:
    """Hand over where an agent would only repeat itself."""
    return (
        "I don't want to tell you the same thing twice, so a colleague takes over with everything you told me and "
        f"will come back to you by {_clock(answer_by)}. Your ticket number is {ticket_id}."
    )


def done(summary: str) -> str:
    """Report a change in the words of the tool that makes it."""
    return f"Done: {summary.rstrip('.')}. Is there anything else I can do for you?"


def offer(summary: str) -> str:
    """Make an offer in the words of the tool that worked it out; the answer is a yes or no to it."""
    return f"Here is what I can do: {summary.rstrip('.')}. Shall I make this change? Please answer yes or no."


def published(text: str, article: str, section: str) -> str:
    """Answer with a passage of a published article, word for word, and its source."""
    return f"{text}\n\nSource: {article} \u203a {section}"


def is_with_colleague(ticket_id: str, now: datetime) -> str:
    """Note a message for the person who has the ticket, with the second it was read, so that no two read alike."""
    return f"Your message of {now:%H:%M:%S} UTC is with the colleague who has your ticket {ticket_id}."


def once_more(text: str) -> str:
    """Say a notice again in a row, and that it is the same."""
    return f"It is as I said before. {text}"


def _clock(moment: datetime) -> str:
    return moment.strftime("%H:%M UTC on %d %B %Y")
