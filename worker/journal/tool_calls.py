"""Record each finished tool call of a turn with what it changed, and replay it when the turn is run again."""

from __future__ import annotations

import asyncio
import copy
import hashlib
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from agents import FunctionTool
from agents.tool_context import ToolContext
from pydantic import BaseModel, ConfigDict, ValidationError

from runtime.encoding import dump_canonical, dump_json
from runtime.telemetry.tracing import note
from worker.conversation.context import AirlineAgentContext, EscalationRequest, cut
from worker.conversation.effects import Effect
from worker.conversation.run_spans import span_id_of_run
from worker.conversation.vault import Vault
from worker.models.wire.parts import UNREADABLE_CALL

if TYPE_CHECKING:
    from agents import Tool

    from worker.conversation.context import TurnContext

RESULT_SECONDS_MAX = 600.0
"""Age from which a result is not replayed: a turn that waited out a long outage calls its tools again."""

ToolOutcome = Literal["called", "replayed", "called_again", "thrown_away"]
"""called_again: an earlier attempt's result was for another input, too old, or of a newer release; thrown_away: no call
asked for it."""


@dataclass(frozen=True)
class ToolEntry:
    """One recorded call: its tool, the hash of what it was called with, and what it did as a ToolDelta's JSON."""

    tool: str
    input_hash: str
    delta: str
    age_seconds: float = 0.0


@dataclass(frozen=True)
class ToolCall:
    """What became of one call, for the turn's record; `milliseconds` None: it was not made in this attempt."""

    tool: str
    call_id: str
    outcome: ToolOutcome
    milliseconds: float | None


class ToolDelta(BaseModel):
    """What one call did: its answer, and how it changed the turn. May hold private values: stored sealed."""

    model_config = ConfigDict(extra="forbid")

    output: str
    airline: dict[str, Any] = {}
    vault: dict[str, str] = {}
    effects: list[Effect] = []
    escalation: EscalationRequest | None = None

    def apply(self, turn: TurnContext) -> None:
        """Apply to a turn what the call changed."""
        for name, value in self.airline.items():
            setattr(turn.airline, name, value)
        if self.vault:
            turn.vault = Vault({**turn.vault.entries, **self.vault})
        turn.effects.extend(self.effects)
        turn.escalation = self.escalation or turn.escalation


@dataclass
class ToolJournal:
    """Tool calls of one turn: those of an earlier attempt, by call id, and those made or replayed now.

    Tools of one response run one after the other, in the order they start: what each changed is known then, and two
    of them cannot both use the last of something the turn counts.
    """

    recorded: Mapping[str, ToolEntry]
    record: Callable[[str, ToolEntry], Awaitable[None]]
    model_calls: Sequence[object]
    """The turn's model calls so far; their number names the step that a tool belongs to."""
    calls: list[ToolCall] = field(default_factory=list)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _states: dict[int, bytes] = field(default_factory=dict)

    async def call(
        self,
        context: ToolContext[TurnContext],
        arguments: str,
        run: Callable[[], Awaitable[str]],
        *,
        looks_at_turn: bool,
    ) -> str:
        """Replay this call, or make and record it; a recorded one is replayed when it was given the same.

        Raises what the tool raises, and nothing is recorded then.
        """
        turn, call_id = context.context, context.tool_call_id
        input_hash = self._hash_input(context, arguments, looks_at_turn=looks_at_turn)
        async with self._lock:
            started = time.perf_counter()
            entry = self.recorded.get(call_id)
            known = None
            if entry is not None and entry.input_hash == input_hash and entry.age_seconds < RESULT_SECONDS_MAX:
                known = _read_delta(entry, turn)
            if known is not None:
                outcome: ToolOutcome = "replayed"
                delta = known
                delta.apply(turn)
            else:
                outcome = "called" if entry is None else "called_again"
                delta = await _observe(turn, run)
                await self.record(call_id, ToolEntry(context.tool_name, input_hash, delta.model_dump_json()))
            milliseconds = round((time.perf_counter() - started) * 1_000, 3)
            self.calls.append(ToolCall(context.tool_name, call_id, outcome, milliseconds))
            if outcome != "called":
                note("event", f"tool.{outcome}", started_at=time.time(), parent_id=span_id_of_run())
        return delta.output

    @property
    def every_call(self) -> list[ToolCall]:
        """Return the calls of this attempt, and the results of earlier ones that it had no use for."""
        asked = {call.call_id for call in self.calls}
        left = [(call_id, entry) for call_id, entry in self.recorded.items() if call_id not in asked]
        return [*self.calls, *(ToolCall(entry.tool, call_id, "thrown_away", None) for call_id, entry in left)]

    def _hash_input(self, context: ToolContext[TurnContext], arguments: str, *, looks_at_turn: bool) -> str:
        """Hash what a call depends on: tool, arguments, and the turn as it was when its model step began its tools.

        The turn as it is when this tool starts would not do: tools of one step may start in another order in another
        attempt. The time is left out, or no two hashes would ever be equal.
        """
        step = len(self.model_calls)
        state = self._states.setdefault(step, _state_of(context.context)) if looks_at_turn else b""
        given = hashlib.sha256(dump_canonical([context.tool_name, arguments]))
        given.update(state)
        return given.hexdigest()


def journaled(tool: FunctionTool, *, looks_at_turn: bool = True) -> FunctionTool:
    """Return a copy of a tool whose calls go through the journal of the turn, where it has one.

    A tool that does not look at the turn is replayed whatever else has changed: what it may have done elsewhere is not
    done twice.
    """
    made = copy.copy(tool)
    invoke = made.on_invoke_tool  # the copy's: the SDK binds it anew

    async def on_invoke_tool(context: ToolContext[TurnContext], arguments: str) -> str:
        if context.tool_call_id.startswith(UNREADABLE_CALL):
            return _refuse_unreadable(tool.name)

        async def run() -> str:
            output: str = await invoke(context, arguments)
            return cut(output, context.context.tool_output_characters_max)  # a documentation server's, or the SDK's own

        journal = context.context.tools
        if journal is None:
            return await run()
        return await journal.call(context, arguments, run, looks_at_turn=looks_at_turn)

    made.on_invoke_tool = on_invoke_tool
    return made


def _refuse_unreadable(name: str) -> str:
    """Answer a call whose arguments the model garbled; it is not made, and may be made anew."""
    message = f"The arguments of {name} were no JSON object, so nothing was done. Call it again with complete ones."
    return dump_json({"ok": False, "refusal": "bad_arguments", "message": message})


def journal_tools(tools: Sequence[Tool], apart: Sequence[Tool] = ()) -> list[Tool]:
    """Journal an agent's function tools; those `apart` do not look at the turn, and hosted tools are the model's."""
    return [
        journaled(tool, looks_at_turn=tool not in apart) if isinstance(tool, FunctionTool) else tool for tool in tools
    ]


async def _observe(turn: TurnContext, run: Callable[[], Awaitable[str]]) -> ToolDelta:
    """Run a tool and return what it changed."""
    airline, vault = turn.airline.model_dump(mode="json"), turn.vault.entries
    effects, escalation = len(turn.effects), turn.escalation
    output = await run()
    delta = ToolDelta(
        output=output,
        airline={k: value for k, value in turn.airline.model_dump(mode="json").items() if value != airline[k]},
        vault={k: value for k, value in turn.vault.entries.items() if k not in vault},
        effects=turn.effects[effects:],
        escalation=turn.escalation if turn.escalation is not escalation else None,
    )
    read = ToolDelta.model_validate_json(delta.model_dump_json())
    # What is staged is what a replay would stage: parameters that JSON changes fail in every test, not after a crash.
    turn.effects[effects:] = read.effects
    return read


def _read_delta(entry: ToolEntry, turn: TurnContext) -> ToolDelta | None:
    """Parse what a recorded call did; None when a newer release wrote of changes that this one does not know.

    No part of what a call did may be ignored, and nothing of it has taken effect: the call can be made anew.
    """
    try:
        delta = ToolDelta.model_validate_json(entry.delta)
        AirlineAgentContext.model_validate({**turn.airline.model_dump(mode="json"), **delta.airline}, extra="forbid")
    except ValidationError:
        return None
    return delta


def _state_of(turn: TurnContext) -> bytes:
    """Encode what a tool may read of a turn; of private values the placeholders alone."""
    return dump_canonical(
        [
            turn.text,
            turn.last_reply,
            turn.airline.model_dump(mode="json"),
            sorted(turn.vault.entries),
            [[effect.query, effect.parameters] for effect in turn.effects],
            None if turn.escalation is None else vars(turn.escalation),
        ]
    )
