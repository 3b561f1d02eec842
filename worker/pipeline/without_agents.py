"""Answer without the agents: where a human owns the conversation, to a machine's mail, to what cannot be answered."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from schema.ids import ticket_id_of
from worker.conversation.context import EscalationRequest
from worker.guardrails.emergency import assess_emergency
from worker.pipeline import notices
from worker.pipeline.answers import urgent_request
from worker.pipeline.guard import Guarded
from worker.pipeline.outcome import Answer, OpenedMessage, Snapshot

if TYPE_CHECKING:
    from schema.messages.event import EventName
    from schema.settings.guardrails import EmergencySettings
    from worker.pipeline.outcome import TurnRun


AUTOMATIC_REPLY = "automatic_reply"
"""The reason of a `message.refused` whose message nobody answers."""


def forward(run: TurnRun, guarded: Guarded, settings: EmergencySettings) -> Answer:
    """Record a message for the human who owns the conversation; the bot stays silent.

    That human may not be looking: an emergency opens an urgent ticket as well.
    """
    kind = assess_emergency(guarded.text).kind
    told: list[tuple[EventName, dict[str, str]]] = [("message.forwarded", {})]
    if kind is not None:
        told.append(
            ("message.emergency", {"kind": kind, "ticket_id": ticket_id_of(run.message.key, run.message.position)})
        )
    return Answer(
        outcome="forwarded",
        reply=None,
        agent=None,
        context=guarded.context,
        vault=dict(guarded.vault.entries),
        items=[{"role": "user", "content": guarded.text}],
        escalation=None if kind is None else urgent_request(guarded.text, kind, run.due.now, settings),
        events=told,
    )


def pass_over(snapshot: Snapshot) -> Answer:
    """Record that a message was an automatic reply: no answer, no ticket, and nothing of it in what agents read.

    The answer to one would be answered automatically again, for ever. An event tells operators.
    """
    return Answer(
        outcome="ignored",
        reply=None,
        agent=snapshot.last_agent,
        context=snapshot.context,
        vault=snapshot.vault,
        events=[("message.refused", {"reason": AUTOMATIC_REPLY})],
    )


def bury(message: OpenedMessage, snapshot: Snapshot, *, answer_by: datetime) -> Answer:
    """Give up a message: keep it whole, tell the customer, call a human.

    Its attempts are used up, or nobody can read it. Its text is not looked at: that may be what fails. The customer is
    not told where a human speaks with them, or where no address of theirs is known.
    """
    reason = f"no answer after {message.attempts - 1} attempts: {message.cause or 'the worker died each time'}"
    if message.unreadable:
        reason = f"cannot be read: {message.unreadable}"
    elif message.stray:
        reason = "no such message was accepted"
    ticket_id = ticket_id_of(message.key, message.position)
    tells = snapshot.owner == "bot" and message.reachable
    reply = notices.unanswerable(ticket_id, answer_by) if tells else None
    told = "The customer has been told." if tells else "The customer has not been told."
    return Answer(
        outcome="dead",
        reply=reply,
        agent=snapshot.last_agent,
        context=snapshot.context,
        vault=snapshot.vault,
        items=[{"role": "assistant", "content": reply}] if reply else [],
        escalation=EscalationRequest("system_error", reason, f"The message is kept as a dead letter. {told}", "high"),
        events=[("message.dead", {"ticket_id": ticket_id})],
        buried_because=reason,
    )
