"""Run one turn: one message in, one outcome out, in five steps that read top to bottom in `Turn.run`."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from ops.runtime.database import Database
from ops.runtime.failpoints import Reach, pass_by
from ops.runtime.logs import keep_private
from ops.runtime.sealing import Sealer
from ops.runtime.tracing import Span, Tracer, measure, note
from schema.ids import ConversationKey
from schema.settings import Settings
from worker.mailbox import Head, Mailbox
from worker.models.calls import Caller
from worker.models.journaled import JournalEntry, TurnJournal
from worker.pipeline.act import Brain, act
from worker.pipeline.admit import Admission, admit
from worker.pipeline.commit import Committer, EffectConflict
from worker.pipeline.guard import guard
from worker.pipeline.hydrate import Undecodable, hydrate, open_letter
from worker.pipeline.outcome import Answer, Clock, Done, Due, Letter, Repair, Snapshot, Verdict, due_of
from worker.pipeline.silent import bury, forward
from worker.pipeline.unread import Unread
from worker.publisher import OutboxRow, Publisher
from worker.store.journal import JournalWriter
from worker.store.tool_journal import ToolStore
from worker.tools.journaled import ToolEntry, ToolJournal

_log = structlog.get_logger("fte.turn")


@dataclass(frozen=True)
class Turn:
    """Hold what turns need; made once per process, runs many turns at once."""

    settings: Settings
    database: Database
    sealer: Sealer
    mailbox: Mailbox
    publisher: Publisher
    committer: Committer
    journal: JournalWriter
    tools: ToolStore
    brain: Brain
    tracer: Tracer
    reach: Reach = pass_by

    async def run(self, key: ConversationKey, head: Head) -> Verdict:
        """Bring the head of a mailbox to its outcome and say what is to happen to the head.

        Raises whatever went wrong; nothing is committed then, or the commit's outcome is open and the next look at the
        conversation settles it.
        """
        try:
            letter = open_letter(self.sealer, key, head)
        except Undecodable as error:
            examined = await self._unread.examine(key, head, str(error))
            if not isinstance(examined, Letter):
                return examined
            letter = examined
        with self.tracer.attempt(key, letter.position, letter.attempts) as span:
            return await self._run(letter, head, Clock(datetime.now(UTC)), span)

    @property
    def _unread(self) -> Unread:
        return Unread(self.settings, self.database, self.sealer, self.mailbox)

    async def _run(self, letter: Letter, head: Head, clock: Clock, span: Span) -> Verdict:
        key = letter.key
        self.reach("hydrate.begun")
        with clock.step("hydrate"):
            snapshot = await hydrate(
                self.database,
                self.sealer,
                letter,
                history_items_max=self.settings.history_items_max,
                attempts_max=self.settings.attempts_max,
            )
        self.reach("hydrate.done")
        if snapshot is not None and snapshot.unpublished:
            with measure("publish", "leftovers"):
                await self.publisher.publish(
                    key, snapshot.unpublished, floor=snapshot.published_ordinal, life=snapshot.stream_life
                )

        admission = admit(letter, snapshot, attempts_max=self.settings.attempts_max)
        span.attributes["admission"] = admission
        if snapshot is None:
            return await self._unread.keep(self._unread.stray(letter, head))
        if admission == "stray":
            letter = self._unread.stray(letter, head)
        if admission == "done" or (letter.stray and await self._unread.is_kept(letter)):
            return Done()
        if admission == "repair":
            return await self._repair(letter)
        _note_waiting(snapshot, clock, span)

        due = due_of(snapshot.accepted_at, snapshot.read_at, timedelta(minutes=self.settings.answer_by_minutes))
        journal = self._open_journal(letter, snapshot)
        answer = await self._decide(letter, snapshot, admission, clock, journal, due=due)
        answer.events.extend(journal.caller.events)
        clock.timings["model_ms"] = round(sum(call.milliseconds for call in journal.calls), 1)

        rows = await self._commit(letter, snapshot, answer, clock, journal, due=due)
        _report(letter, answer, clock, span)
        with measure("publish"):
            await self.publisher.publish(key, rows, floor=snapshot.last_ordinal, life=snapshot.stream_life)
        self.reach("publish.done")
        return Done()

    async def _decide(
        self,
        letter: Letter,
        snapshot: Snapshot,
        admission: Admission,
        clock: Clock,
        journal: TurnJournal,
        *,
        due: Due,
    ) -> Answer:
        if admission in ("bury", "stray"):
            return bury(letter, snapshot, answer_by=due.answer_by)
        with clock.step("guard"):
            guarded = guard(letter.inbound, snapshot.context, snapshot.vault)
        keep_private(guarded.vault.entries.values())  # an exception may quote what a tool was given
        self.reach("guard.done")
        with clock.step("act"):
            if admission == "forward":
                return forward(guarded)
            return await act(self.brain, letter, snapshot, guarded, journal, due=due)

    async def _commit(
        self, letter: Letter, snapshot: Snapshot, answer: Answer, clock: Clock, journal: TurnJournal, *, due: Due
    ) -> list[OutboxRow]:
        self.reach("commit.begun")
        try:
            with clock.step("commit"):
                rows = await self.committer.commit(letter, snapshot, answer, due=due, clock=clock, journal=journal)
        except EffectConflict:
            # What a tool found is no longer so. Replayed, it would stage the same change for ever.
            await self.tools.forget(letter.key, letter.inbound.message_id)
            raise
        self.reach("commit.done")
        return rows

    def _open_journal(self, letter: Letter, snapshot: Snapshot) -> TurnJournal:
        key, message_id = letter.key, letter.inbound.message_id

        async def record(step: int, entry: JournalEntry) -> None:
            self.reach("model.answered")
            spending = await self.journal.record(key, message_id, step, entry)
            if spending is not None:
                caller.events += self.brain.ledger.settle(key.tenant, spending, time.monotonic())
            self.reach("model.journaled")

        async def record_tool(call_id: str, entry: ToolEntry) -> None:
            self.reach("tool.answered")
            await self.tools.record(key, message_id, call_id, entry)
            self.reach("tool.journaled")

        caller = Caller(key.tenant, letter.attempts)
        recorded = {
            row["step"]: JournalEntry(row["input_hash"], row["response"], row["model"], row["degraded"])
            for row in snapshot.journal
        }
        journal = TurnJournal(recorded, record, caller)
        journal.tools = ToolJournal(snapshot.tools, record_tool, journal.calls)
        return journal

    async def _repair(self, letter: Letter) -> Verdict:
        """Put back earlier messages that the mailbox lost: Redis forgot them, or two senders raced."""
        rows = await self.database.read(
            letter.key.tenant,
            "find_waiting",
            tenant=letter.key.tenant,
            conversation=letter.key.conversation,
            up_to=letter.position,
            messages_max=self.settings.reconcile_messages_max,
        )
        await self.mailbox.restore(letter.key, rows)
        _log.info("mailbox.repaired", messages=len(rows), before_position=letter.position)
        return Repair()


def _note_waiting(snapshot: Snapshot, clock: Clock, span: Span) -> None:
    """Note how long the message waited until it was read; earlier attempts, and what they journaled, are part of it."""
    waited_ms = round(snapshot.waited_seconds * 1_000, 1)
    clock.timings["queue_ms"] = waited_ms
    note("queue", "", started_at=snapshot.accepted_at.timestamp(), milliseconds=waited_ms)
    if snapshot.journal or snapshot.tools:
        span.attributes["resumed_steps"] = len(snapshot.journal) + len(snapshot.tools)


def _report(letter: Letter, answer: Answer, clock: Clock, span: Span) -> None:
    span.attributes["outcome"] = answer.outcome
    if answer.escalation is not None:
        span.attributes["escalation"] = answer.escalation.category
    for name, _ in answer.events:
        note("event", name, started_at=time.time())
    _log.info(
        "turn.committed",
        position=letter.position,
        outcome=answer.outcome,
        agent=answer.agent,
        attempts=letter.attempts,
        **clock.timings,
    )
