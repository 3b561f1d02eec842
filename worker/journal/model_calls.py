"""Record each finished model call of a turn, and replay it when another worker takes the turn up."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from agents.items import ModelResponse, TResponseStreamEvent
from agents.models.interface import Model, ModelProvider
from pydantic import TypeAdapter, ValidationError

from runtime.encoding import dump_canonical
from runtime.telemetry.tracing import measure
from worker.conversation.run_spans import span_id_of_run
from worker.models.calls import Asker, Caller, CallNote, current_call
from worker.models.prices import Tokens, tokens_of
from worker.models.request_sizes import divide, size_parts
from worker.models.wire.sent import watching

if TYPE_CHECKING:
    from worker.journal.tool_calls import ToolJournal

BESIDE_STEP = 1_000
"""First journal step of calls beside the agents; a turn's own model calls are fewer (FTE_MODEL_CALLS_MAX)."""

_RESPONSE: TypeAdapter[ModelResponse] = TypeAdapter(ModelResponse)


@dataclass(frozen=True)
class JournalEntry:
    """One recorded call: the hash of what the model was asked, its response as JSON, who answered.

    `usage` is set only when the call is first recorded: it counts once.
    """

    input_hash: str
    response: str
    model: str
    degraded: bool
    usage: CallUsage | None = None


@dataclass(frozen=True)
class CallUsage:
    """Usage of a finished call: its tokens, its cost (None: the model has no price), its time, its retries."""

    tokens: Tokens
    cost_usd: Decimal | None
    milliseconds: float
    retries: int


Purpose = Literal["agents", "guardrail"]


@dataclass(frozen=True)
class ModelCall:
    """One call as measured: when it began (seconds since the epoch), how long it took, tokens in and out, who answered.

    `degraded`: the embedded model stood in for the provider.
    """

    started_at: float
    milliseconds: float
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    replayed: bool
    model: str
    degraded: bool = False
    retries: int = 0
    purpose: Purpose = "agents"
    input_parts: Mapping[str, int] = field(default_factory=dict)
    """The input tokens by part of the request (`Part`); empty for a call that sent nothing over the wire."""
    superseded: bool = False
    """Whether its turn started over because a message came meanwhile: it was paid for, and led to no reply."""


@dataclass
class TurnJournal:
    """Model calls of one turn: those of an earlier attempt, by step, and those made or replayed now; and who asks."""

    recorded: Mapping[int, JournalEntry]
    record: Callable[[int, JournalEntry], Awaitable[None]]
    caller: Caller = field(default_factory=Caller)
    calls: list[ModelCall] = field(default_factory=list)
    diverged: bool = False
    purpose: Purpose = "agents"
    tools: ToolJournal | None = None
    superseded: Sequence[ModelCall] = ()
    """The calls of runs that this turn has thrown away because a message came meanwhile."""
    _beside: TurnJournal | None = None

    def beside(self) -> TurnJournal:
        """Return the journal of what is asked while the agents are at work: a lane of its own.

        The agents' steps are numbered in the order they are made, so a call that runs at the same time must not count
        among them: a resumed turn would look for its answers one step off.
        """
        if self._beside is None:
            record = self.record
            recorded = {step - BESIDE_STEP: entry for step, entry in self.recorded.items() if step >= BESIDE_STEP}

            async def record_beside(step: int, entry: JournalEntry) -> None:
                await record(step + BESIDE_STEP, entry)

            self._beside = TurnJournal(recorded, record_beside, self.caller, purpose="guardrail")
        return self._beside

    async def disown(self) -> None:
        """Void the agents' newest answer in the journal: it led nowhere, and a replay would lead there again."""
        if self.calls:
            last = self.calls[-1]
            await self.record(len(self.calls) - 1, JournalEntry("", "", last.model, last.degraded))

    @property
    def every_call(self) -> list[ModelCall]:
        """Return the agents' calls and those beside them, for the record; the superseded ones first."""
        return [*self.superseded, *self.calls, *(self._beside.calls if self._beside is not None else [])]


class JournaledModel(Model):
    """Model that is asked once per step of a turn, whatever dies in between.

    A step whose input hash differs from the recorded one (a prompt or code was deployed since, or a tool answered
    otherwise) is asked anew, and so are all after it: no effect has been committed yet, so nothing is done twice.
    So is a step whose recorded answer this release cannot read, because another release wrote it.
    """

    def __init__(self, model: Model, journal: TurnJournal, name: str, asker: Asker) -> None:
        self._model = model
        self._journal = journal
        self._name = name
        self._asker = asker

    async def get_response(self, *args: Any, **kwargs: Any) -> ModelResponse:
        """Replay this step from the journal, or ask the model and record its answer.

        Raises what the model raises; its time limit is its own.
        """
        if args:
            raise TypeError("the runner passes everything by keyword")
        journal = self._journal
        step = len(journal.calls)
        input_hash = _hash_input(kwargs)
        recorded = None if journal.diverged else journal.recorded.get(step)
        known = _read_answer(recorded, input_hash)
        replayed = known is not None
        note = CallNote(journal.caller, self._name, self._asker)
        with measure("model", parent_id=span_id_of_run()) as span, watching() as sent:
            try:
                if recorded is not None and known is not None:
                    response = known
                    note.model, note.degraded = recorded.model, recorded.degraded
                else:
                    journal.diverged = True
                    response = await _ask(self._model, note, kwargs)
            finally:
                span.attributes.update(
                    step=step, replayed=replayed, model=note.model, degraded=note.degraded, retries=note.retries
                )
            tokens = tokens_of(response.usage)
            span.attributes.update(input_tokens=tokens.input, output_tokens=tokens.output)
        journal.calls.append(
            ModelCall(
                started_at=span.started_at,
                milliseconds=span.milliseconds,
                input_tokens=tokens.input,
                output_tokens=tokens.output,
                cached_tokens=tokens.cached,
                replayed=replayed,
                model=note.model,
                degraded=note.degraded,
                retries=note.retries,
                purpose=journal.purpose,
                input_parts=divide(tokens.input, size_parts(sent[-1]) if sent and not note.degraded else {}),
            )
        )
        if not replayed:
            usage = CallUsage(tokens, note.cost_usd, span.milliseconds, note.retries)
            # Unset fields stay unset: the SDK hands an item on as it came, so a null that a replay added would change
            # the next step's input, and its hash.
            written = _RESPONSE.dump_json(response, exclude_unset=True).decode()
            await journal.record(step, JournalEntry(input_hash, written, note.model, note.degraded, usage))
        return response

    def stream_response(self, *_args: Any, **_kwargs: Any) -> AsyncIterator[TResponseStreamEvent]:
        """Raise NotImplementedError: a turn's outcome is committed whole, so nothing is streamed."""
        raise NotImplementedError("turns do not stream")

    async def close(self) -> None:
        """Leave the model open: it belongs to the process, not to the turn."""


class JournaledProvider(ModelProvider):
    """Provider of a turn's one model, journaled: the turn chooses it, whatever name an agent has for its own.

    `model`: in the form of `FTE_MODEL`; what is noted is its name at its provider, unless it notes another.
    """

    def __init__(self, provider: ModelProvider, journal: TurnJournal, model: str, asker: Asker = "agents") -> None:
        self._provider = provider
        self._journal = journal
        self._model = model
        self._asker: Asker = asker

    def get_model(self, model_name: str | None) -> Model:  # noqa: ARG002 - see the class
        """Return the journaled model."""
        name = self._model.split(":", 1)[-1]
        return JournaledModel(self._provider.get_model(self._model), self._journal, name, self._asker)

    async def aclose(self) -> None:
        """Leave the provider open: it belongs to the process, not to the turn."""


def _read_answer(recorded: JournalEntry | None, input_hash: str) -> ModelResponse | None:
    """Return the recorded answer to just this input; None when there is none that can be read."""
    if recorded is None or recorded.input_hash != input_hash:
        return None
    try:
        return _RESPONSE.validate_json(recorded.response)
    except ValidationError:
        return None


async def _ask(model: Model, note: CallNote, kwargs: Mapping[str, Any]) -> ModelResponse:
    token = current_call.set(note)
    try:
        return await model.get_response(**kwargs)
    finally:
        current_call.reset(token)


def _hash_input(kwargs: Mapping[str, Any]) -> str:
    asked = [
        kwargs["system_instructions"],
        kwargs["input"],
        [tool.name for tool in kwargs["tools"]],
        [handoff.tool_name for handoff in kwargs["handoffs"]],
    ]
    return hashlib.sha256(dump_canonical(asked)).hexdigest()
