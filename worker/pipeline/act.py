"""Act: run the agents on the guarded message, from where the conversation left off."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agents import RunConfig, Runner
from agents.exceptions import InputGuardrailTripwireTriggered, MaxTurnsExceeded, ModelBehaviorError, ModelRefusalError

from schema.ids import ticket_id_of, trace_id_of
from schema.messages import REPLY_CHARACTERS_MAX
from worker.agents.context import EscalationRequest, TurnContext
from worker.agents.facts import note_message
from worker.agents.hooks import TurnHooks
from worker.models.journaled import JournaledProvider, TurnJournal
from worker.models.latency import parse_latency, simulated_latency
from worker.pipeline import notices
from worker.pipeline.outcome import Answer
from worker.store.session import ConversationSession

if TYPE_CHECKING:
    from agents import InputGuardrail, ModelProvider

    from schema.settings import Settings
    from worker.agents.graph import GraphPool
    from worker.pipeline.guard import Guarded
    from worker.pipeline.outcome import Due, Letter, Snapshot
    from worker.tools.backend import AirlineBackend, KnowledgeBase

_LATENCY_METADATA = "fte.model_latency_ms"


@dataclass(frozen=True)
class Brain:
    """Hold what answers: the agents and what they reach. Made once per process."""

    graphs: GraphPool
    provider: ModelProvider
    guardrails: Sequence[InputGuardrail[TurnContext]]
    backend: AirlineBackend
    knowledge: KnowledgeBase
    settings: Settings


async def act(
    brain: Brain, letter: Letter, snapshot: Snapshot, guarded: Guarded, journal: TurnJournal, *, due: Due
) -> Answer:
    """Run the agents and give what they decided; nothing is written yet.

    Raises TimeoutError after `turn_seconds_max`, and whatever the model or a tool raises; a tripped guardrail, a
    refusal and a run that does not end are answers.
    """
    settings = brain.settings
    context = _turn_context(brain, letter, guarded, due)
    note_message(context)
    session = ConversationSession(letter.key.conversation, snapshot.items)
    simulated_latency.set(parse_latency(letter.inbound.metadata.get(_LATENCY_METADATA)))
    try:
        async with asyncio.timeout(settings.turn_seconds_max):
            with brain.graphs.borrow() as graph:
                result = await Runner.run(
                    graph.start(snapshot.last_agent),
                    guarded.text,
                    context=context,
                    session=session,
                    hooks=TurnHooks(),
                    max_turns=settings.model_calls_max,
                    run_config=_run_config(brain, letter, journal),
                )
    except InputGuardrailTripwireTriggered as tripped:
        return _refused(context, guarded, tripped.guardrail_result.output.output_info)
    except MaxTurnsExceeded:
        return _handed_over(context, guarded, "usage_limit", f"no answer after {settings.model_calls_max} model calls")
    except ModelRefusalError:
        return _handed_over(context, guarded, "unsupported_request", "the model refused to answer")
    text = str(result.final_output or "").strip()
    if not text:
        raise ModelBehaviorError("the model answered with an empty text")
    answer = _answer(context, text, items=session.added)
    answer.agent = result.last_agent.name
    return answer


def _turn_context(brain: Brain, letter: Letter, guarded: Guarded, due: Due) -> TurnContext:
    settings = brain.settings
    return TurnContext(
        key=letter.key,
        message_id=letter.inbound.message_id,
        position=letter.position,
        channel=letter.inbound.channel,
        text=guarded.text,
        airline=guarded.context,
        vault=guarded.vault,
        backend=brain.backend,
        knowledge=brain.knowledge,
        now=due.now,
        ticket_id=ticket_id_of(letter.key, letter.position),
        answer_by=due.answer_by,
        quote_minutes=settings.quote_minutes,
        tool_output_characters_max=settings.tool_output_characters_max,
    )


def _run_config(brain: Brain, letter: Letter, journal: TurnJournal) -> RunConfig:
    return RunConfig(
        model_provider=JournaledProvider(brain.provider, journal, brain.settings.model_call_seconds_max),
        input_guardrails=list(brain.guardrails),
        trace_include_sensitive_data=False,
        workflow_name="airline support",
        trace_id=trace_id_of(letter.key),
        group_id=letter.key.conversation,
        tool_not_found_behavior="return_error_to_model",
    )


def _answer(context: TurnContext, text: str, *, items: list[Any]) -> Answer:
    answer = Answer(
        outcome="answered",
        reply=text[:REPLY_CHARACTERS_MAX],
        agent=None,
        context=context.airline,
        vault=dict(context.vault.entries),
        items=items,
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


def _refused(context: TurnContext, guarded: Guarded, verdict: Any) -> Answer:
    """Answer a message on which a guardrail tripped: abuse goes to a human, the rest is declined."""
    if isinstance(verdict, dict) and verdict.get("guardrail") == "abuse":
        context.escalation = EscalationRequest("abuse", str(verdict.get("reason", "")), guarded.text, "high")
        text = notices.abuse(context.ticket_id, context.answer_by)
        context.airline.issue_type = "escalation"
        return _answer(context, text, items=_exchange(guarded.text, text))
    text = notices.off_topic()
    answer = _answer(context, text, items=_exchange(guarded.text, text))
    answer.outcome = "refused"
    context.airline.issue_type = "off_topic"
    answer.events.append(("message.refused", {"reason": str(verdict.get("reason", "")) if verdict else ""}))
    return answer


def _handed_over(context: TurnContext, guarded: Guarded, category: Any, reason: str) -> Answer:
    """Hand to a human what the run could not end; bookings it had prepared are dropped."""
    context.effects.clear()
    context.escalation = EscalationRequest(category, reason, guarded.text, "normal")
    text = notices.beyond_reach(context.ticket_id, context.answer_by)
    return _answer(context, text, items=_exchange(guarded.text, text))


def _exchange(asked: str, answered: str) -> list[Any]:
    return [{"role": "user", "content": asked}, {"role": "assistant", "content": answered}]
