"""Build a turn's answer from what the agents, or a guardrail, decided."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from schema.messages.escalation import EscalationCategory, Priority
from worker.conversation.context import AirlineAgentContext, EscalationRequest, TurnContext, call_human, cut
from worker.conversation.vault import Vault
from worker.guardrails.abuse_agent import NAME as ABUSE_MODEL
from worker.guardrails.abuse_ladder import AbuseMemory, AbuseRules, AbuseStep, climb
from worker.guardrails.inputs import EMERGENCY
from worker.guardrails.review import characters_max_of, with_reply
from worker.pipeline import notices
from worker.pipeline.outcome import Answer

if TYPE_CHECKING:
    from runtime.switches import Switch
    from schema.settings.guardrails import AbuseSettings, EmergencySettings, GuardrailSettings
    from worker.conversation.vocabulary import EmergencyKind

_ABUSE = {"abuse", ABUSE_MODEL}
_SENTENCE_END = re.compile(r"(?<=[.!?])(?=\s)|\n")


@dataclass(frozen=True)
class Before:
    """What a turn knew before its agents ran, so that a run which is cancelled or given up leaves nothing."""

    airline: AirlineAgentContext
    vault: dict[str, str]

    def restore(self, context: TurnContext) -> None:
        """Undo what a run did: facts, private values, staged changes, a call for a human. Verdicts stay."""
        context.airline = self.airline.model_copy(deep=True)
        context.vault = Vault(self.vault)
        context.effects.clear()
        context.escalation = None


def remember(context: TurnContext) -> Before:
    """Copy what a turn knows now."""
    return Before(context.airline.model_copy(deep=True), context.vault.entries)


def spoken(context: TurnContext, text: str, agent: str | None, items: list[Any]) -> Answer:
    """Answer with what an agent said, or a notice, and with what was staged on the way."""
    made = context.airline.changes_made
    context.airline.changes_made = [*made, *sorted({effect.query for effect in context.effects} - set(made))]
    reply = fit(text, characters_max_of(context.channel))
    answer = Answer(
        outcome="answered",
        reply=reply,
        agent=agent,
        context=context.airline,
        vault=dict(context.vault.entries),
        items=with_reply(items, reply),
        effects=context.effects,
        verdicts=context.verdicts,
    )
    if context.escalation is not None:
        answer.outcome = "escalated"
        answer.escalation = context.escalation
        answer.events.append(
            ("conversation.escalated", {"ticket_id": context.ticket_id, "category": context.escalation.category})
        )
    return answer


def turned_away(context: TurnContext, verdict: Mapping[str, Any], settings: GuardrailSettings) -> Answer:
    """Answer a message on which an input guardrail tripped, as its kind wants it."""
    reason = str(verdict.get("reason", ""))
    if verdict.get("guardrail") == EMERGENCY:
        return answer_emergency(context, cast("EmergencyKind", reason), settings)
    if verdict.get("guardrail") in _ABUSE:
        return _answer_abuse(context, reason, settings)
    context.airline.issue_type = "off_topic"
    answer = _notice(context, notices.off_topic(context.brand))
    answer.outcome = "refused"
    answer.events.append(("message.refused", {"reason": reason}))
    return answer


def fit(text: str, characters_max: int) -> str:
    """Shorten a text to at most so many characters, after the last sentence that fits; it then ends in an ellipsis."""
    if len(text) <= characters_max:
        return text
    ends = [found.start() for found in _SENTENCE_END.finditer(text[: characters_max - 2])]
    return f"{text[: ends[-1]]} \u2026" if ends and ends[-1] else cut(text, characters_max)


def handed_over(
    context: TurnContext, category: EscalationCategory, reason: str, *, asked: EscalationRequest | None = None
) -> Answer:
    """Hand to a human what the run could not end; what an agent had already `asked` of a human stands."""
    request = asked or EscalationRequest(category, reason, context.text, "normal")
    call_human(context, request)
    return _notice(context, notices.beyond_reach(context.ticket_id, request.answer_by or context.answer_by))


def said_before(context: TurnContext) -> Answer:
    """Answer where an agent had nothing but its last reply to say again: a person takes over, or has already."""
    ticket_id = context.airline.ticket_id
    if ticket_id is not None:
        return _notice(context, notices.is_with_colleague(ticket_id, context.now))
    reason = "the reply would have been one that was given already"
    call_human(context, EscalationRequest("pending_clarification", reason, context.text, "normal"))
    return _notice(context, notices.not_understood(context.ticket_id, context.answer_by))


def left_to_person(context: TurnContext, off: Switch) -> Answer:
    """Answer where an operator has switched off who would answer: a person does, and the customer is told so once.

    While a tenant or a channel is off, further messages are recorded for the person who has the ticket, in silence.
    Where an agent alone is off the bot may answer the next message, so it says each time who answers this one.
    """
    airline = context.airline
    ticket_id, is_told = airline.ticket_id, airline.told_off_at == off.off_at
    airline.told_off_at = off.off_at
    if ticket_id is None:
        what = "the bot" if off.kind == "tenant" else f"{off.kind} {off.name}"
        call_human(context, EscalationRequest("unsupported_request", f"{what} is switched off", context.text, "normal"))
        return _notice(context, notices.out_of_service(context.ticket_id, context.answer_by))
    if not is_told or off.kind == "agent":
        return _notice(context, notices.is_with_colleague(ticket_id, context.now))
    return Answer(
        outcome="forwarded",
        reply=None,
        agent=None,
        context=airline,
        vault=dict(context.vault.entries),
        items=[{"role": "user", "content": context.text}],
        events=[("message.forwarded", {"reason": "switched_off", "ticket_id": ticket_id})],
    )


def answer_emergency(context: TurnContext, kind: EmergencyKind, settings: EmergencySettings) -> Answer:
    """Tell whom to call, and open an urgent ticket for each message that tells of an emergency."""
    request = urgent_request(context.text, kind, context.now, settings)
    call_human(context, request)
    context.airline.issue_type = "escalation"
    advice = context.vocabulary.emergency_advice[kind].format(
        emergency_number=context.emergency_number or settings.emergency_number,
        crisis_line=context.crisis_line or settings.crisis_line,
    )
    answer = _notice(context, notices.emergency(advice, context.ticket_id, request.answer_by or context.answer_by))
    answer.events.append(("message.emergency", {"kind": kind, "ticket_id": context.ticket_id}))
    return answer


def urgent_request(text: str, kind: EmergencyKind, now: datetime, settings: EmergencySettings) -> EscalationRequest:
    """Ask that a person reads a message about an emergency within minutes; they count from now."""
    answer_by = now + timedelta(minutes=settings.emergency_answer_by_minutes)
    return EscalationRequest("emergency", f"an emergency: {kind.replace('_', ' ')}", text, "urgent", answer_by)


def _answer_abuse(context: TurnContext, reason: str, settings: AbuseSettings) -> Answer:
    airline = context.airline
    rules = AbuseRules(
        cooling=timedelta(minutes=settings.abuse_cooling_minutes),
        memory=timedelta(minutes=settings.abuse_memory_minutes),
    )
    memory = AbuseMemory(airline.abuse_count, airline.abused_at, airline.cooling_until)
    step, memory = climb(memory, rules, is_threat=reason == "threat", now=context.now)
    airline.abuse_count, airline.abused_at = memory.count, memory.last_at
    airline.cooling_until = memory.cooling_until
    if step == "human":
        priority: Priority = "urgent" if reason == "threat" else "high"
        call_human(context, EscalationRequest("abuse", f"abusive message: {reason}", context.text, priority))
        airline.issue_type = "escalation"
    answer = _notice(context, _word_abuse(context, step))
    attributes = {"step": step, "reason": reason, "count": str(memory.count)}
    if step == "human":
        attributes["ticket_id"] = context.ticket_id
    else:
        answer.outcome = "refused"
    answer.events.append(("message.abusive", attributes))
    return answer


def _word_abuse(context: TurnContext, step: AbuseStep) -> str:
    if step == "human":
        return notices.abuse(context.ticket_id, context.answer_by)
    if step == "reminder":
        return notices.abuse_is_known(context.airline.ticket_id or "")
    if step == "cool_down" and context.airline.cooling_until is not None:
        return notices.cool_down(context.airline.cooling_until)
    return notices.boundary()


def _notice(context: TurnContext, text: str) -> Answer:
    if text == context.last_reply:
        text = notices.once_more(text)
    exchange = [{"role": "user", "content": context.text}, {"role": "assistant", "content": text}]
    return spoken(context, text, None, exchange)
