"""Act: run the agents on the guarded message, from where the conversation left off."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agents import RunConfig, Runner
from agents.exceptions import InputGuardrailTripwireTriggered, MaxTurnsExceeded, ModelBehaviorError, ModelRefusalError

from schema.ids import ticket_id_of, trace_id_of
from worker.agents.context import TurnContext
from worker.agents.facts import note_message
from worker.agents.hooks import TurnHooks
from worker.models.journaled import JournaledProvider, TurnJournal
from worker.models.latency import parse_latency, simulated_latency
from worker.pipeline.answers import handed_over, remember, spoken, turned_away
from worker.store.session import ConversationSession

if TYPE_CHECKING:
    from agents import InputGuardrail, ModelProvider

    from schema.settings import Settings
    from worker.agents.graph import GraphPool
    from worker.pipeline.guard import Guarded
    from worker.pipeline.outcome import Answer, Due, Letter, Snapshot
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
    context.models_beside = _journaled(brain, journal.beside())
    note_message(context)
    before = remember(context)
    session = ConversationSession(letter.key.conversation, snapshot.items)
    simulated_latency.set(parse_latency(letter.inbound.metadata.get(_LATENCY_METADATA)))
    try:
        async with asyncio.timeout(settings.turn_seconds_max) as limit:
            journal.caller.deadline = limit.when()
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
        before.restore(context)
        return turned_away(context, tripped.guardrail_result.output.output_info, settings)
    except MaxTurnsExceeded:
        before.restore(context)
        return handed_over(context, "usage_limit", f"no answer after {settings.model_calls_max} model calls")
    except ModelRefusalError:
        before.restore(context)
        return handed_over(context, "unsupported_request", "the model refused to answer")
    text = str(result.final_output or "").strip()
    if not text:
        raise ModelBehaviorError("the model answered with an empty text")
    return spoken(context, text, result.last_agent.name, session.added)


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
        model_provider=_journaled(brain, journal),
        input_guardrails=list(brain.guardrails),
        trace_include_sensitive_data=False,
        workflow_name="airline support",
        trace_id=trace_id_of(letter.key),
        group_id=letter.key.conversation,
        tool_not_found_behavior="return_error_to_model",
    )


def _journaled(brain: Brain, journal: TurnJournal) -> JournaledProvider:
    return JournaledProvider(brain.provider, journal, brain.settings.model_name)
