"""Act: run the agents on the guarded message, from where the conversation left off."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import structlog
from agents import RunConfig, Runner
from agents.exceptions import InputGuardrailTripwireTriggered, MaxTurnsExceeded, ModelBehaviorError, ModelRefusalError

from runtime.addresses import read_address
from runtime.switches import Switch, Switches
from schema.ids import ticket_id_of, trace_id_of
from schema.messages.inbound import MODEL_LATENCY_KEY
from worker.agents.hooks import TurnHooks
from worker.conversation.context import EscalationRequest, TurnContext, call_human
from worker.conversation.out_of_service import find_agent_switch
from worker.conversation.run_spans import RUN_TRACING
from worker.guardrails.emergency import assess_emergency
from worker.guardrails.inputs import input_guardrails
from worker.guardrails.outputs import gather_items
from worker.guardrails.review import ask_to_rewrite, review, with_reply, without_draft
from worker.guardrails.shaping import shape_reply
from worker.journal.model_calls import JournaledProvider, TurnJournal
from worker.models.choice import choose_model
from worker.models.failures import describe_error
from worker.models.latency import parse_latency, simulated_latency
from worker.models.ledger import Ledger
from worker.models.provider import MODELS_MAX
from worker.models.wire.faults import UnusableAnswer
from worker.models.wire.parts import is_blank
from worker.pipeline import notices
from worker.pipeline.answers import (
    answer_emergency,
    handed_over,
    left_to_person,
    remember,
    said_before,
    spoken,
    turned_away,
)
from worker.pipeline.approvals import asks_for_approval, await_approval, take_up_decision
from worker.pipeline.tool_facts import word_tool_facts
from worker.store.session import ConversationSession, last_reply_of
from worker.tools.escalation import ESCALATION_TOOLS
from worker.tools.switching import explain_missing

if TYPE_CHECKING:
    from agents import Agent, InputGuardrail, ModelProvider, RunResult

    from schema.messages.escalation import EscalationCategory
    from schema.settings import Settings
    from worker.agents.pool import GraphPool
    from worker.conversation.domain import Domain
    from worker.conversation.effects import EffectStore, GuessLimit, KnowledgeBase
    from worker.guardrails.outputs import Breach
    from worker.models.calls import Asker
    from worker.pipeline.answers import Before
    from worker.pipeline.guard import Guarded
    from worker.pipeline.outcome import Answer, TurnRun
    from worker.store.approvals import Decided

_log = structlog.get_logger("fte.act")


@dataclass(frozen=True)
class Brain:
    """The agents and everything they reach; made once per process."""

    graphs: GraphPool[Any]
    provider: ModelProvider
    guardrails: Sequence[InputGuardrail[TurnContext]]
    backend: EffectStore
    knowledge: KnowledgeBase
    guesses: GuessLimit
    settings: Settings
    domain: Domain
    ledger: Ledger = field(default_factory=Ledger)
    switches: Switches = field(default_factory=Switches)
    _with_others: dict[str, Brain] = field(default_factory=dict, init=False, repr=False, compare=False)

    def with_model(self, model: str) -> Brain:
        """Return this brain as it works with another model, in the form of `FTE_MODEL`."""
        if model == self.settings.model:
            return self
        if model not in self._with_others:
            if len(self._with_others) >= MODELS_MAX:
                self._with_others.clear()
            settings = self.settings.model_copy(update={"model": model})
            self._with_others[model] = replace(self, settings=settings, guardrails=input_guardrails(settings))
        return self._with_others[model]


async def act(brain: Brain, run: TurnRun, guarded: Guarded) -> Answer:
    """Run the agents and return what they decided; nothing is written yet.

    Raises TimeoutError after `turn_seconds_max`, and whatever the model or a tool raises; a tripped guardrail, a
    refusal and a run that does not end are answers.
    """
    message, snapshot, journal = run.message, run.snapshot, run.journal
    brain = brain.with_model(choose_model(message.key.tenant, snapshot.tenant_settings, brain.settings))
    settings = brain.settings
    context = _turn_context(brain, run, guarded)
    context.models_beside = _journaled(brain, journal.beside(), "abuse")
    context.tools = journal.tools
    if snapshot.earlier:
        brain.domain.recall(context, snapshot.earlier)
    brain.domain.note_message(context)
    before = remember(context)
    session = ConversationSession(message.key.conversation, snapshot.items)
    asked_latency = message.inbound.metadata.get(MODEL_LATENCY_KEY) if settings.load_tests else None
    simulated_latency.set(parse_latency(asked_latency))
    rewriter = _journaled(brain, journal, "rewrite")
    speaker = _Speaker(brain, context, session, _run_config(brain, run), rewriter)
    try:
        async with asyncio.timeout(settings.turn_seconds_max) as limit:
            journal.caller.deadline = limit.when()
            with brain.graphs.borrow() as graph:
                start = await brain.domain.choose_start(graph, context, snapshot.items, snapshot.last_agent, settings)
                off = find_agent_switch(context, start.name)
                said: _Said | _Unfit | Switch = off or await speaker.speak(start, guarded.text)
    except InputGuardrailTripwireTriggered as tripped:
        before.restore(context)
        return turned_away(context, tripped.guardrail_result.output.output_info, settings)
    except (MaxTurnsExceeded, ModelRefusalError) as ended:
        asked = context.escalation
        before.restore(context)
        return handed_over(context, *_reason_of(ended, settings), asked=asked)
    except ModelBehaviorError as slip:
        await journal.disown()
        if message.attempts < min(settings.model_attempts_max, settings.attempts_max):
            raise
        before.restore(context)
        return handed_over(context, "system_error", f"the model's answer could not be used: {describe_error(slip)}")
    except _Unfit as unfit:
        said = unfit
    if asks_for_approval(context):
        return await_approval(context, snapshot.tenant_settings)
    return await _answer_of(said, context, before, settings)


async def _answer_of(said: _Said | _Unfit | Switch, context: TurnContext, before: Before, settings: Settings) -> Answer:
    """Return the answer to what a run came to, or to the switch that kept it from beginning."""
    if isinstance(said, Switch):
        before.restore(context)
        return _out_of_service(context, said, settings)
    if isinstance(said, _Unfit):
        return await _answer_without(said, context, before)
    return spoken(context, said.text, said.agent, said.items)


async def leave_to_person(brain: Brain, run: TurnRun, guarded: Guarded, off: Switch) -> Answer:
    """Leave a message to a person because its tenant or channel is switched off; no agent and no model is asked."""
    return _out_of_service(_turn_context(brain, run, guarded), off, brain.settings)


def _out_of_service(context: TurnContext, off: Switch, settings: Settings) -> Answer:
    """Answer in fixed words; somebody in danger is told whom to call, whatever is off."""
    kind = assess_emergency(context.text).kind
    return left_to_person(context, off) if kind is None else answer_emergency(context, kind, settings)


async def act_on_decision(brain: Brain, run: TurnRun, guarded: Guarded, decided: Decided) -> Answer:
    """Take up what a person decided about a change; no model is asked."""
    return await take_up_decision(_turn_context(brain, run, guarded), brain.domain, decided)


def _reason_of(ended: MaxTurnsExceeded | ModelRefusalError, settings: Settings) -> tuple[EscalationCategory, str]:
    """Return the category and the reason of a ticket for a run that came to no reply."""
    if isinstance(ended, MaxTurnsExceeded):
        return "usage_limit", f"no answer after {settings.model_calls_max} model calls"
    cause = f": {describe_error(ended.__cause__)}" if ended.__cause__ is not None else ""
    return "unsupported_request", f"the model refused to answer{cause}"


@dataclass(frozen=True)
class _Said:
    """A reply that may go out, who gave it, and what the turn adds to the conversation's items."""

    text: str
    agent: str
    items: list[Any]


class _Unfit(Exception):
    """An agent's second try at a reply broke a rule as well; `items` are the turn's without either try."""

    def __init__(self, breach: Breach, agent: Agent[TurnContext], history: list[Any], items: list[Any]) -> None:
        super().__init__(breach.kind)
        self.breach = breach
        self.agent = agent
        self.history = history
        self.items = items


async def _answer_without(unfit: _Unfit, context: TurnContext, before: Before) -> Answer:
    """Answer with the tools' own facts in fixed words where there are any; else a person takes over.

    What the tools did stands then: a change, an offer, a ticket with its category, priority and summary. What is
    switched off and was called is a person's at any rate.
    """
    facts = None if context.wanted else word_tool_facts(context, [*unfit.history, *unfit.items])
    breach = None if facts is None else await review(context, unfit.agent, [*unfit.history, *unfit.items], facts)
    if facts is not None and (breach is None or _is_only_long(breach)):
        _log.warning("reply.worded", breach=unfit.breach.kind, agent=unfit.agent.name, **context.key._asdict())
        return spoken(context, facts, unfit.agent.name, [*unfit.items, {"role": "assistant", "content": facts}])
    asked = context.escalation
    before.restore(context)
    if asked is None and unfit.breach.kind == "repetition":
        return said_before(context)
    return handed_over(context, "system_error", f"two replies were held back: {unfit.breach.kind}", asked=asked)


def _is_only_long(breach: Breach) -> bool:
    """Check whether a reply is true and merely too long for its channel: it may go out, shortened."""
    return breach.kind == "too_long"


@dataclass(frozen=True)
class _Speaker:
    """Runs the agents of one turn."""

    brain: Brain
    context: TurnContext
    session: ConversationSession
    config: RunConfig
    rewriter: ModelProvider
    """Asks the same model for the second try, behind a circuit of its own."""

    async def speak(self, agent: Agent[TurnContext], text: str) -> _Said:
        """Run from an agent to a reply that passes review; one that does not is written again once.

        The second run has no input guardrails: it answers the same message, which has passed them. Raises what the SDK
        raises, and _Unfit.
        """
        settings = self.brain.settings
        draft = await Runner.run(
            agent,
            text,
            context=self.context,
            session=self.session,
            hooks=TurnHooks(),
            max_turns=settings.model_calls_max,
            run_config=self.config,
        )
        items = await self.session.get_items()
        reply = self._finish(draft)
        items, added = with_reply(items, reply), with_reply(self.session.added, reply)
        may_repeat = settings.model == "stub"  # a benchmark's turn is always the same work
        breach = await review(self.context, draft.last_agent, items, reply, may_repeat=may_repeat)
        first = _Said(reply, draft.last_agent.name, added)
        if breach is None:
            return first
        _log.warning("reply.held_back", breach=breach.kind, agent=first.agent, **self.context.key._asdict())
        done = self._done
        second = await Runner.run(
            draft.last_agent,
            [*items, ask_to_rewrite(breach)],
            context=self.context,
            hooks=TurnHooks(),
            max_turns=settings.model_calls_max,
            run_config=replace(self.config, input_guardrails=[], model_provider=self.rewriter),
        )
        reply = self._finish(second)
        rewritten = with_reply([item.to_input_item() for item in second.new_items], reply)
        worse = await review(self.context, second.last_agent, [*items, *rewritten], reply)
        if worse is None:
            return _Said(reply, second.last_agent.name, [*without_draft(added), *rewritten])
        if _is_only_long(breach) and self._done == done:
            return first
        turn_items = [*without_draft(added), *without_draft(rewritten)]
        raise _Unfit(worse, second.last_agent, self.session.stored, turn_items)

    @property
    def _done(self) -> tuple[int, bool]:
        """What this turn has done so far: a reply from before stays true only while nothing is added."""
        return len(self.context.effects), self.context.escalation is not None

    def _finish(self, result: RunResult) -> str:
        """Return the reply of a run; one that ended at an agent who brings in people, and did not, opens a ticket.

        So does one that has called what is switched off. Raises ModelBehaviorError for a reply in which nobody sees
        anything.
        """
        text = shape_reply(str(result.final_output or ""))
        if is_blank(text):
            raise UnusableAnswer("the reply is empty")
        turn = self.context
        if turn.escalation is not None or turn.airline.ticket_id is not None:
            return text
        if turn.wanted is None and not _ends_in_person(result.last_agent):
            return text
        reason = f"the {result.last_agent.name} answered without opening a ticket"
        if turn.wanted is not None:
            reason = f"{turn.wanted} is switched off"
        call_human(turn, EscalationRequest("customer_request", reason, turn.text, "high"))
        return f"{text}\n\n{notices.passed_on(turn.ticket_id, turn.answer_by)}"


def _ends_in_person(agent: Agent[Any]) -> bool:
    """Check whether an agent's part is to bring in a person: it has the tool for that, and hands on to nobody."""
    tools = {tool.name for tool in ESCALATION_TOOLS}
    return not agent.handoffs and any(tool.name in tools for tool in agent.tools)


def _turn_context(brain: Brain, run: TurnRun, guarded: Guarded) -> TurnContext:
    settings, message, snapshot, due = brain.settings, run.message, run.snapshot, run.due
    return TurnContext(
        key=message.key,
        message_id=message.inbound.message_id,
        position=message.position,
        channel=message.inbound.channel,
        text=guarded.text,
        texts=guarded.texts,
        seen_position=snapshot.last_position,
        last_reply=last_reply_of(snapshot.items),
        earlier_texts=tuple(gather_items(snapshot.items)[0]),
        airline=guarded.context,
        vault=guarded.vault,
        backend=brain.backend,
        knowledge=brain.knowledge,
        guesses=brain.guesses,
        vocabulary=brain.domain.vocabulary,
        sender_key=snapshot.sender_key,
        brand=snapshot.brand or settings.brand,
        prompt_lines=snapshot.tenant_settings.prompt_lines,
        approvals=snapshot.tenant_settings.approvals,
        emergency_number=snapshot.tenant_settings.emergency_number,
        crisis_line=snapshot.tenant_settings.crisis_line,
        now=due.now,
        ticket_id=ticket_id_of(message.key, message.position),
        answer_by=due.answer_by,
        quote_minutes=settings.quote_minutes,
        tool_output_characters_max=settings.tool_output_characters_max,
        switches=brain.switches,
        verified_sender=read_address(message.inbound.sender) if message.inbound.sender_is_verified else None,
    )


def _run_config(brain: Brain, run: TurnRun) -> RunConfig:
    settings = brain.settings
    return RunConfig(
        model_provider=_journaled(brain, run.journal),
        input_guardrails=list(brain.guardrails),
        tracing_disabled=not (settings.trace or settings.openai_traces),
        tracing=RUN_TRACING,
        trace_include_sensitive_data=False,
        workflow_name="airline support",
        trace_id=trace_id_of(run.message.key),
        group_id=run.message.key.conversation,
        tool_not_found_behavior="return_error_to_model",
        tool_error_formatter=explain_missing,
    )


def _journaled(brain: Brain, journal: TurnJournal, asker: Asker = "agents") -> JournaledProvider:
    return JournaledProvider(brain.provider, journal, brain.settings.model, asker)
