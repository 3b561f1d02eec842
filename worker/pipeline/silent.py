"""Answer without the agents: for a conversation that a human owns, and for a message that cannot be answered."""

from __future__ import annotations

from datetime import datetime

from schema.ids import ticket_id_of
from worker.agents.context import EscalationRequest
from worker.pipeline import notices
from worker.pipeline.guard import Guarded
from worker.pipeline.outcome import Answer, Letter, Snapshot


def forward(guarded: Guarded) -> Answer:
    """Record a message for the human who owns the conversation; the bot stays silent."""
    return Answer(
        outcome="forwarded",
        reply=None,
        agent=None,
        context=guarded.context,
        vault=dict(guarded.vault.entries),
        items=[{"role": "user", "content": guarded.text}],
        events=[("message.forwarded", {})],
    )


def bury(letter: Letter, snapshot: Snapshot, *, answer_by: datetime) -> Answer:
    """Give up a message whose attempts are used up: keep it whole, tell the customer, call a human.

    Its text is not read: reading it may be what fails.
    """
    reason = f"no answer after {letter.attempts - 1} attempts"
    ticket_id = ticket_id_of(letter.key, letter.position)
    reply = notices.unanswerable(ticket_id, answer_by)
    return Answer(
        outcome="dead",
        reply=reply,
        agent=snapshot.last_agent,
        context=snapshot.context,
        vault=snapshot.vault,
        items=[{"role": "assistant", "content": reply}],
        escalation=EscalationRequest("system_error", reason, "The message is kept as a dead letter.", "high"),
        events=[("message.dead", {"ticket_id": ticket_id})],
        buried_because=reason,
    )
