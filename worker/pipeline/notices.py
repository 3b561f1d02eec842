"""Word what the product says by itself, without an agent."""

from __future__ import annotations

from datetime import datetime


def abuse(ticket_id: str, answer_by: datetime) -> str:
    """Set a boundary and hand over."""
    return (
        "I want to help, but I cannot continue while the conversation is abusive. I have passed it to a colleague, who "
        f"will read it and come back to you by {_clock(answer_by)}. Your ticket number is {ticket_id}."
    )


def off_topic() -> str:
    """Decline politely what is not the airline's matter."""
    return (
        "I'm the airline's customer support, so I can't help with that one. I'm glad to help with anything about your "
        "trip: baggage, seats, changes, refunds or check-in. What can I do for you?"
    )


def unanswerable(ticket_id: str, answer_by: datetime) -> str:
    """Own up to a failure of ours."""
    return (
        "I'm sorry, something went wrong on our side and I could not answer your message. A colleague has it now and "
        f"will come back to you by {_clock(answer_by)}. Your ticket number is {ticket_id}."
    )


def beyond_reach(ticket_id: str, answer_by: datetime) -> str:
    """Hand over what the agents could not settle."""
    return (
        "This one needs a person. I have passed it to a colleague with everything you told me, and they will come back "
        f"to you by {_clock(answer_by)}. Your ticket number is {ticket_id}."
    )


def _clock(moment: datetime) -> str:
    return moment.strftime("%H:%M UTC on %d %B %Y")
