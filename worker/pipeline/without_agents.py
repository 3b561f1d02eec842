"""Answer without the agents: where a human has the conversation, a machine wrote, or nobody can or may answer."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

from schema.ids import ticket_id_of
from schema.messages.unanswered import SILENT_REASONS
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


AUTOMATIC_REPLY: Final = "automatic_reply"
"""Why a message that a machine wrote is answered by nobody; one of SILENT_REASONS."""

_FOR_A_PERSON: Final = {
    "unreadable": "a mail of the customer is too large or too entangled to be read; it is to be read by a person",
    "no_sender": "a mail does not say from whom it is, so it cannot be answered",
    "reply_budget": "so many messages came that the bot answers no more for now: look whether a machine writes",
}
"""What a ticket says for each PersonReason; another one is of a newer gateway."""


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


def pass_over(snapshot: Snapshot, reason: str) -> Answer:
    """Record that a message is answered by nobody: no answer, no ticket, and nothing of it in what agents read.

    The answer to an automatic reply would be answered automatically again, for ever. An event tells operators.
    """
    return Answer(
        outcome="ignored",
        reply=None,
        agent=snapshot.last_agent,
        context=snapshot.context,
        vault=snapshot.vault,
        events=[("message.refused", {"reason": reason})],
    )


def leave_unanswered(run: TurnRun, guarded: Guarded, reason: str) -> Answer:
    """Record a message that its gateway wants no answer to: silently, or with a ticket where a person is to know.

    A reason that this release does not know makes a ticket: then nothing is lost.
    """
    if reason in SILENT_REASONS:
        return pass_over(run.snapshot, reason)
    ticket_id = ticket_id_of(run.message.key, run.message.position)
    why = _FOR_A_PERSON.get(reason, "the gateway wants no answer of the bot")
    return Answer(
        outcome="forwarded",
        reply=None,
        agent=run.snapshot.last_agent,
        context=guarded.context,
        vault=dict(guarded.vault.entries),
        items=[{"role": "user", "content": guarded.text}],
        escalation=EscalationRequest("unsupported_request", why, guarded.text, "normal"),
        events=[
            ("message.forwarded", {"reason": reason}),
            ("conversation.escalated", {"ticket_id": ticket_id, "category": "unsupported_request"}),
        ],
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
