"""Run one turn: one message in, one outcome out, in five steps that read top to bottom in `Turn.run`."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import structlog

from runtime.database import Database
from runtime.failpoints import Failpoint, no_failpoint
from runtime.sealing import Sealer
from runtime.sender_keys import SenderKeys
from runtime.switches import Switch
from runtime.telemetry.logs import keep_private
from runtime.telemetry.tracing import Span, Tracer, measure, note
from schema.ids import ConversationKey
from schema.messages.event import EventName
from schema.settings.turns import TurnSettings
from worker.guardrails.automatic import is_automatic
from worker.journal.model_calls import CallUsage, JournalEntry, ModelCall, TurnJournal
from worker.journal.tool_calls import ToolEntry, ToolJournal
from worker.journal.tool_store import ToolStore
from worker.journal.writer import JournalWriter, open_calls, seal_call
from worker.mailbox.mailbox import Head
from worker.measures.metrics import Burial, CommittedTurn, WorkerMetrics
from worker.models.calls import Caller
from worker.outbound.publisher import OutboxRow, Publisher
from worker.pipeline.act import Brain, act, act_on_decision, leave_to_person
from worker.pipeline.admit import Admission, admit
from worker.pipeline.burst import gather
from worker.pipeline.commit import Committer, EffectConflict, Fenced, Overtaken
from worker.pipeline.damaged_entries import DamagedEntries
from worker.pipeline.guard import Guarded, guard
from worker.pipeline.hydrate import Undecodable, envelope_of, hydrate, open_message
from worker.pipeline.outcome import Answer, Clock, Done, OpenedMessage, Repair, Snapshot, TurnRun, Verdict, due_of
from worker.pipeline.without_agents import AUTOMATIC_REPLY, bury, forward, leave_unanswered, pass_over
from worker.store.approvals import find_decision

_log = structlog.get_logger("fte.turn")

OVERTAKEN_MAX = 2
"""How often a turn starts over because a message came meanwhile; what comes after that has a turn of its own.

Where models are slow and a customer writes on and on, each message would cost a run, and the first waits for the last.
"""

LATE_SECONDS = 3.0
"""Age of a turn's first message from which the turn does not start over at all.

Its customer has waited for a worker that died, a server that was away, or for others: where much waits, running turns
twice would let everybody wait longer.
"""


@dataclass(frozen=True)
class Turn:
    """Runs turns, many at once; made once per process."""

    settings: TurnSettings
    database: Database
    sealer: Sealer
    senders: SenderKeys
    damaged: DamagedEntries
    publisher: Publisher
    committer: Committer
    journal: JournalWriter
    tools: ToolStore
    brain: Brain
    tracer: Tracer
    failpoint: Failpoint = no_failpoint
    metrics: WorkerMetrics = field(default_factory=WorkerMetrics)

    async def run(self, key: ConversationKey, head: Head) -> Verdict:
        """Bring the head of a mailbox to its outcome and return what is to happen to the head.

        Raises whatever went wrong; nothing is committed then, or the commit's outcome is open and the next look at the
        conversation settles it.
        """
        try:
            message = open_message(self.sealer, key, head)
        except Undecodable as error:
            examined = await self.damaged.examine(key, head, error)
            if not isinstance(examined, OpenedMessage):
                return examined
            message = examined
        with self.tracer.attempt(key, message.position, message.attempts) as span:
            return await self._run(message, head, TurnProgress(Clock(datetime.now(UTC)), span))

    async def _run(self, message: OpenedMessage, head: Head, progress: TurnProgress) -> Verdict:
        """Run until there is a verdict: each time that the conversation is looked at, more may have come."""
        while True:
            verdict = await self._look(message, head, progress)
            if verdict is not None:
                return verdict

    async def _look(self, message: OpenedMessage, head: Head, progress: TurnProgress) -> Verdict | None:
        """Hydrate the conversation and take the next step; None when it is to be hydrated again, as of now."""
        key = message.key
        self.failpoint("hydrate.begun")
        with progress.clock.step("hydrate"):
            snapshot = await hydrate(self.database, self.sealer, self.senders, message, self.settings)
        self.failpoint("hydrate.done")
        if snapshot is not None and snapshot.unpublished:
            with measure("publish", "leftovers"):
                await self.publisher.publish(
                    key, snapshot.unpublished, floor=snapshot.published_ordinal, epoch=snapshot.stream_epoch
                )

        if snapshot is not None and progress.waited_seconds is None:
            progress.waited_seconds = snapshot.waited_seconds
        admission = admit(message, snapshot, attempts_max=self.settings.attempts_max)
        progress.span.attributes["admission"] = admission
        if snapshot is None:
            return await self.damaged.keep(self.damaged.stray(message, head))
        if admission == "stray":
            message = self.damaged.stray(message, head)
        if admission == "done" or (message.stray and await self.damaged.is_kept(message)):
            return Done()
        if admission == "repair":
            return await self._repair(message)
        if admission == "act":
            message, quiet_seconds = gather(message, snapshot, self.sealer, self.settings)
            if not progress.may_start_over(snapshot):
                message = replace(message, is_open=False)
            if quiet_seconds:
                await asyncio.sleep(quiet_seconds)
                return None
        _note_waiting(snapshot, progress)
        return await self._answer(message, await self._with_key(key, snapshot), admission, progress)

    async def _with_key(self, key: ConversationKey, snapshot: Snapshot) -> Snapshot:
        """Return what a turn starts from with the conversation's key, made by its first turn where keys are used.

        Made before anything of the turn is kept: a key made by its commit would come too late for its journal.
        """
        if snapshot.sealed_key is not None or not self.sealer.by_conversation:
            return snapshot
        made = self.sealer.for_conversation(None).sealed_key
        rows = await self.database.read(key.tenant, "make_key", sealed_key=made, **key._asdict())
        if not rows:
            raise Fenced(f"conversation {key.conversation} was erased")
        return replace(snapshot, sealed_key=rows[0]["sealed_key"])

    async def _answer(
        self, message: OpenedMessage, snapshot: Snapshot, admission: Admission, progress: TurnProgress
    ) -> Verdict | None:
        """Decide, commit and publish; None when a message came meanwhile that belongs to those being answered."""
        clock = progress.clock
        hours = snapshot.tenant_settings.escalation_hours
        due = due_of(snapshot.accepted_at, snapshot.read_at, timedelta(minutes=self.settings.answer_by_minutes), hours)
        journal = self._open_journal(message, snapshot)
        journal.superseded = progress.superseded
        run = TurnRun(message, snapshot, due, clock, journal)
        answer = await self._decide(run, admission)
        answer.events.extend([*progress.events, *journal.caller.events])
        agents_calls = [call for call in journal.every_call if call.purpose == "agents"]
        clock.timings["model_ms"] = round(sum(call.milliseconds for call in agents_calls), 1)

        try:
            rows = await self._commit(run, answer)
        except Overtaken:
            _log.info("turn.overtaken", position=message.position, messages=len(message.messages))
            self.metrics.overtaken.inc()
            progress.start_over(journal)
            return None
        _report(message, answer, progress)
        self.metrics.note_turn(_figures_of(run, answer, progress))
        with measure("publish"):
            await self.publisher.publish(message.key, rows, floor=snapshot.last_ordinal, epoch=snapshot.stream_epoch)
        self.failpoint("publish.done")
        return Done(tuple(envelope_of(follower) for follower in message.followers))

    async def _decide(self, run: TurnRun, admission: Admission) -> Answer:
        message, snapshot = run.message, run.snapshot
        if admission in ("bury", "stray"):
            return bury(message, snapshot, answer_by=run.due.answer_by)
        with run.clock.step("guard"):
            guarded = guard([each.inbound for each in message.messages], snapshot.context, snapshot.vault)
        keep_private(guarded.vault.entries.values())  # an exception may quote what a tool was given
        self.failpoint("guard.done")
        with run.clock.step("act"):
            decided = await find_decision(self.database, self.sealer, message.key, message.inbound.message_id)
            if admission == "forward":
                answer = forward(run, guarded, self.brain.settings)
                return answer if decided is None else replace(answer, items=[])
            if decided is not None:
                return await act_on_decision(self.brain, run, guarded, decided)
            return await self._act(run, guarded)

    async def _act(self, run: TurnRun, guarded: Guarded) -> Answer:
        """Let the agents answer a message of a customer, unless a machine wrote it or they are switched off."""
        message = run.message
        if message.inbound.unanswered_because is not None:
            return leave_unanswered(run, guarded, message.inbound.unanswered_because)
        if all(map(is_automatic, guarded.texts)):
            return pass_over(run.snapshot, AUTOMATIC_REPLY)
        off = self._find_switch(message)
        return await (act(self.brain, run, guarded) if off is None else leave_to_person(self.brain, run, guarded, off))

    def _find_switch(self, message: OpenedMessage) -> Switch | None:
        """Return what switches off the tenant of a message, or its channel, if anything does."""
        switches, tenant = self.brain.switches, message.key.tenant
        return switches.find("tenant", tenant, tenant) or switches.find("channel", tenant, message.inbound.channel)

    async def _commit(self, run: TurnRun, answer: Answer) -> list[OutboxRow]:
        self.failpoint("commit.begun")
        try:
            with run.clock.step("commit"):
                rows = await self.committer.commit(run, answer)
        except EffectConflict:
            # What a tool found is no longer so. Replayed, it would stage the same change for ever.
            await self.tools.forget(run.message.key, run.message.inbound.message_id)
            raise
        self.failpoint("commit.done")
        return rows

    def _open_journal(self, message: OpenedMessage, snapshot: Snapshot) -> TurnJournal:
        key, message_id = message.key, message.inbound.message_id
        own = self.sealer.with_kept_key(snapshot.sealed_key)

        async def record(step: int, entry: JournalEntry) -> None:
            self.failpoint("model.answered")
            spending = await self.journal.record(key, message_id, step, seal_call(entry, own))
            if entry.usage is not None:
                self._note_answer(key.tenant, entry.model, entry.usage)
            if spending is not None:
                caller.events += self.brain.ledger.settle(key.tenant, spending, time.monotonic())
            self.failpoint("model.journaled")

        async def record_tool(call_id: str, entry: ToolEntry) -> None:
            self.failpoint("tool.answered")
            await self.tools.record(key, message_id, call_id, entry, own)
            self.failpoint("tool.journaled")

        caller = Caller(key.tenant, message.attempts)
        journal = TurnJournal(open_calls(snapshot.journal, self.sealer), record, caller)
        journal.tools = ToolJournal(snapshot.tools, record_tool, journal.calls)
        return journal

    def _note_answer(self, tenant: str, model: str, usage: CallUsage) -> None:
        self.metrics.note_model_answer(
            tenant, model, seconds=usage.milliseconds / 1_000, tokens=usage.tokens, cost_usd=usage.cost_usd
        )

    async def _repair(self, message: OpenedMessage) -> Verdict:
        """Put back earlier messages that the mailbox lost: Redis forgot them, or two senders raced."""
        missing = await self.damaged.put_back(message.key, before=message.position)
        _log.info("mailbox.repaired", messages=missing, before_position=message.position)
        return Repair(missing)


@dataclass
class TurnProgress:
    """How a turn goes: its clock, its span, and what it threw away because a message came meanwhile."""

    clock: Clock
    span: Span
    began: float = field(default_factory=time.perf_counter)
    """When the attempt began, in seconds of `time.perf_counter`."""
    waited_seconds: float | None = None
    """How long the message had waited when it was first read, before any pause for the rest of its burst."""
    overtaken: int = 0
    """How often the turn has started over."""
    is_late: bool | None = None
    """Whether the message had waited for long when it was first read."""
    superseded: list[ModelCall] = field(default_factory=list)
    """Model calls of the runs thrown away: they were paid for."""
    events: list[tuple[EventName, dict[str, str]]] = field(default_factory=list)
    """Events of the runs thrown away."""

    def may_start_over(self, snapshot: Snapshot) -> bool:
        """Return whether a message that comes from now on may make the turn start over."""
        if self.is_late is None:
            self.is_late = snapshot.waited_seconds >= LATE_SECONDS
        return not self.is_late and self.overtaken < OVERTAKEN_MAX

    def start_over(self, journal: TurnJournal) -> None:
        """Record what a run that is thrown away leaves behind; its journal has the calls of the runs before it."""
        self.overtaken += 1
        self.superseded = [replace(call, superseded=True) for call in journal.every_call]
        self.events += journal.caller.events


def _note_waiting(snapshot: Snapshot, progress: TurnProgress) -> None:
    """Note how long the message waited until it was read; earlier attempts, and what they journaled, are part of it."""
    if "queue_ms" in progress.clock.timings:
        return  # it was read before, and the turn starts over
    waited_ms = round(snapshot.waited_seconds * 1_000, 1)
    progress.clock.timings["queue_ms"] = waited_ms
    note("queue", "", started_at=snapshot.accepted_at.timestamp(), milliseconds=waited_ms)
    if snapshot.journal or snapshot.tools:
        progress.span.attributes["resumed_steps"] = len(snapshot.journal) + len(snapshot.tools)


def _report(message: OpenedMessage, answer: Answer, progress: TurnProgress) -> None:
    span = progress.span
    span.attributes.update(outcome=answer.outcome, messages=len(message.messages))
    if answer.escalation is not None:
        span.attributes["escalation"] = answer.escalation.category
    for name, _ in answer.events:
        note("event", name, started_at=time.time())
    _log.info(
        "turn.committed",
        position=message.position,
        messages=len(message.messages),
        outcome=answer.outcome,
        agent=answer.agent,
        attempts=message.attempts,
        **progress.clock.timings,
    )


def _figures_of(run: TurnRun, answer: Answer, progress: TurnProgress) -> CommittedTurn:
    message = run.message
    return CommittedTurn(
        tenant=message.key.tenant,
        channel=message.inbound.channel,
        outcome=answer.outcome,
        messages=len(message.messages),
        seconds=time.perf_counter() - progress.began,
        waited_seconds=progress.waited_seconds if message.attempts == 1 else None,
        step_milliseconds=progress.clock.timings,
        escalation=answer.escalation.category if answer.escalation is not None else None,
        burial=_burial_of(message) if answer.outcome == "dead" else None,
        is_degraded=any(call.degraded for call in run.journal.every_call),
    )


def _burial_of(message: OpenedMessage) -> Burial:
    if message.unreadable:
        return "unreadable"
    return "stray" if message.stray else "attempts"
