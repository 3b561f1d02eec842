"""Answer where a person has to approve a change, and where one has decided: in fixed words, without a model."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from worker.conversation.context import EscalationRequest, call_human
from worker.conversation.opening_hours import add_open_time
from worker.pipeline import notices
from worker.pipeline.answers import spoken

if TYPE_CHECKING:
    from schema.tenants import TenantSettings
    from worker.conversation.context import PendingApproval, TurnContext
    from worker.conversation.domain import Domain
    from worker.pipeline.outcome import Answer
    from worker.store.approvals import Decided


def asks_for_approval(context: TurnContext) -> bool:
    """Check whether this turn has found that a person must approve what the customer has said yes to."""
    pending = context.airline.pending_approval
    return pending is not None and pending.made_in_turn == context.airline.turn_count


def await_approval(context: TurnContext, settings: TenantSettings) -> Answer:
    """Answer that a person decides, and by when; the commit asks for it."""
    pending = context.airline.pending_approval
    if pending is None:
        raise ValueError("nothing waits for an approval")
    within = timedelta(minutes=settings.approvals.decide_minutes)
    decide_by = add_open_time(context.now, within, settings.escalation_hours)
    text = notices.awaits_approval(pending.summary, decide_by)
    exchange = [{"role": "user", "content": context.text}, {"role": "assistant", "content": text}]
    answer = spoken(context, text, None, exchange)
    answer.approval, answer.decide_by = pending, decide_by
    if settings.desk.tells_every_act:
        asked = {"approval_id": pending.approval_id, "kind": pending.kind, "amount_usd": str(pending.amount_usd)}
        answer.events.append(("approval.requested", asked))
    return answer


async def take_up_decision(context: TurnContext, domain: Domain, decided: Decided) -> Answer:
    """Answer what a person has decided: the change is made, offered anew, refused with the reason, or passed on."""
    pending = context.airline.pending_approval
    context.airline.pending_approval = None
    outcome = "told"
    if pending is None or pending.approval_id != decided.approval_id:
        text = notices.not_decided("your request", context.ticket_id, context.answer_by)
        _pass_on(context, "an approved change is no longer known in its conversation", context.text)
    elif decided.decision == "approved":
        outcome, text = await domain.take_up(context, pending)
    elif decided.decision == "rejected":
        text = notices.not_approved(pending.summary, decided.reason)
    else:
        text = _pass_on_undecided(context, pending)
    answer = spoken(context, text, None, [{"role": "assistant", "content": text}])
    answer.settled = (decided.approval_id, outcome)
    return answer


def _pass_on_undecided(context: TurnContext, pending: PendingApproval) -> str:
    _pass_on(context, "nobody decided about an approval in time", f"{pending.policy}: {pending.summary}")
    return notices.not_decided(pending.summary, context.ticket_id, context.answer_by)


def _pass_on(context: TurnContext, reason: str, summary: str) -> None:
    call_human(context, EscalationRequest("policy_restriction", reason, summary, "high"))
