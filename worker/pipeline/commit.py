"""Commit: write everything a turn leaves behind in one PostgreSQL transaction, or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import psycopg

from runtime.database import Database
from runtime.encoding import dump_json
from runtime.failpoints import Reach, pass_by
from runtime.sealing import Sealer
from schema.ids import event_id_of, reply_id_of, ticket_id_of, trace_id_of
from schema.messages import SUMMARY_CHARACTERS_MAX, Escalation, Event, Reply
from worker.conversation.vault import Vault
from worker.outbound.publisher import OutboxRow
from worker.pipeline.briefing import brief, refer

if TYPE_CHECKING:
    from worker.conversation.domain import Domain
    from worker.conversation.effects import EffectStore
    from worker.journal.model_calls import TurnJournal
    from worker.pipeline.outcome import Answer, Clock, Due, Letter, Snapshot

_REASON_CHARACTERS_MAX = 1_000
_FENCED_STATES = {"FT001", "FT002"}
_OVERTAKEN_STATE = "FT005"
_DEADLOCK_STATE = "40P01"
Statement = tuple[str, Mapping[str, Any]]


class Fenced(Exception):
    """Say that the conversation moved on since it was read: this turn's work is thrown away."""


class Overtaken(Exception):
    """Say that a message came while earlier ones were answered: nothing is done yet, and the reply would be stale."""


class EffectConflict(Exception):
    """Say that a booking this turn prepared is no longer possible: somebody else was quicker."""


class Committer:
    """Write turns; the fence is the conversation's version and the state of its messages."""

    def __init__(
        self, database: Database, sealer: Sealer, domain: Domain, effects: EffectStore, reach: Reach = pass_by
    ) -> None:
        self._database = database
        self._sealer = sealer
        self._domain = domain
        self._effects = effects
        self._reach = reach

    async def commit(
        self, letter: Letter, snapshot: Snapshot, answer: Answer, *, due: Due, clock: Clock, journal: TurnJournal
    ) -> list[OutboxRow]:
        """Write a turn and give the outbox rows to publish.

        Raises Fenced, Overtaken or EffectConflict, with nothing written. A connection lost meanwhile leaves the outcome
        open: the caller reads the conversation again and finds the message answered, or not; it never repeats the
        commit blindly.
        """
        rows = self._outbox_rows(letter, snapshot, answer, due)
        statements = self._statements(letter, snapshot, answer, due)
        statements.append(("commit_turn", self._turn_parameters(letter, snapshot, answer, rows, (clock, journal))))
        try:
            if answer.effects:
                await self._commit_with_effects(letter.key.tenant, answer, statements)
            else:
                await self._database.run_all(letter.key.tenant, statements)
        except psycopg.Error as error:
            if error.sqlstate in _FENCED_STATES:
                raise Fenced(str(error)) from None
            if error.sqlstate == _OVERTAKEN_STATE:
                raise Overtaken(str(error)) from None
            if error.sqlstate == _DEADLOCK_STATE:
                raise EffectConflict("another turn held what this one changes") from None
            raise
        return rows

    async def _commit_with_effects(self, tenant: str, answer: Answer, statements: list[Statement]) -> None:
        # The effects come last: behind the fence, so that a reservation system outside of this transaction is never
        # asked for what another worker or a takeover has made void.
        async with self._database.transaction(tenant) as transaction:
            for query, parameters in statements:
                await transaction.run(query, **parameters)
            for effect in answer.effects:
                touched = await self._effects.apply(tenant, effect, transaction)
                if touched != effect.rows:
                    raise EffectConflict(f"{effect.what}: {touched} rows instead of {effect.rows}")
            self._reach("commit.written")

    def _outbox_rows(self, letter: Letter, snapshot: Snapshot, answer: Answer, due: Due) -> list[OutboxRow]:
        key = letter.key
        ordinal = snapshot.last_ordinal
        sequence = snapshot.last_sequence
        shared: dict[str, Any] = {
            "tenant": key.tenant,
            "conversation": key.conversation,
            "trace_id": trace_id_of(key),
            "created_at": due.now,
        }
        rows = []
        if answer.reply is not None:
            ordinal, sequence = ordinal + 1, sequence + 1
            reply = Reply(
                reply_id=reply_id_of(key, sequence),
                sequence=sequence,
                in_reply_to=[message.inbound.message_id for message in letter.messages],
                channel=letter.inbound.channel,
                recipient=letter.inbound.sender,
                text=Vault(answer.vault).render(answer.reply),
                agent=answer.agent or "",
                issue_type=answer.context.issue_type,
                **shared,
            )
            body = reply.model_dump_json()
            rows.append(OutboxRow(ordinal, "reply", reply.channel, reply.reply_id, sequence, body))
        if answer.escalation is not None:
            ordinal += 1
            escalation = Escalation(
                ticket_id=ticket_id_of(key, letter.position),
                category=answer.escalation.category,
                reason=answer.escalation.reason[:_REASON_CHARACTERS_MAX],
                summary=answer.escalation.summary[:SUMMARY_CHARACTERS_MAX],
                priority=answer.escalation.priority,
                answer_by=answer.escalation.answer_by or due.answer_by,
                transcript=refer(letter, snapshot),
                briefing=brief(self._domain, letter, snapshot, answer),
                **shared,
            )
            body = escalation.model_dump_json()
            rows.append(OutboxRow(ordinal, "escalation", None, escalation.ticket_id, sequence, body))
        for name, attributes in answer.events:
            ordinal += 1
            event = Event(event_id=event_id_of(key, ordinal), name=name, attributes=attributes, **shared)
            rows.append(OutboxRow(ordinal, "event", None, event.event_id, sequence, event.model_dump_json()))
        return rows

    def _statements(self, letter: Letter, snapshot: Snapshot, answer: Answer, due: Due) -> list[Statement]:
        key = letter.key
        statements: list[Statement] = []
        if answer.escalation is not None:
            ticket = {
                "tenant": key.tenant,
                "ticket_id": ticket_id_of(key, letter.position),
                "conversation": key.conversation,
                "category": answer.escalation.category,
                "priority": answer.escalation.priority,
                "answer_by": answer.escalation.answer_by or due.answer_by,
                "sender_key": snapshot.sender_key or None,
            }
            statements.append(("open_ticket", ticket))
        if answer.buried_because is not None:
            buried = {
                "tenant": key.tenant,
                "conversation": key.conversation,
                "message_id": None if letter.stray else letter.inbound.message_id,
                "entry": letter.position if letter.stray else None,
                "reason": answer.buried_because,
                "attempts": letter.attempts - 1,
                "payload": letter.payload,
            }
            statements.append(("bury_letter", buried))
        return statements

    def _turn_parameters(
        self,
        letter: Letter,
        snapshot: Snapshot,
        answer: Answer,
        rows: list[OutboxRow],
        measured: tuple[Clock, TurnJournal],
    ) -> dict[str, Any]:
        clock, journal = measured
        sealed_rows = [{**vars(row), "body": self._sealer.seal(row.body)} for row in rows]
        # A buried message may be one whose conversation could not be read: what could not be is replaced then.
        keeps_vault = not answer.vault and answer.outcome != "dead"
        conversation_row = {
            "seen_position": letter.last_position if letter.is_open else None,
            "sender_key": snapshot.sender_key or None,
            "held_sender_key": snapshot.held_sender_key,
            "sender_is_new": snapshot.sender_is_new,
            "first_sender_key": snapshot.first_sender_key,
            "message_sender_key": None if letter.unreadable else snapshot.sender_key,
            "last_sequence": snapshot.last_sequence + (answer.reply is not None),
            "last_agent": answer.agent,
            "context": answer.context.model_dump(mode="json"),
            "vault": None if keeps_vault else self._sealer.seal(dump_json(answer.vault)),
        }
        turn = {
            "outcome": answer.outcome,
            "agent": answer.agent,
            "attempts": letter.attempts,
            "started_at": clock.started_at,
            "timings": clock.timings,
            "model_calls": [vars(call) for call in journal.every_call],
            "tool_calls": [vars(call) for call in journal.tools.every_call] if journal.tools is not None else [],
            "verdicts": answer.verdicts,
        }
        return {
            "tenant": letter.key.tenant,
            "conversation": letter.key.conversation,
            "version": snapshot.version,
            "message_ids": [] if letter.stray else [message.inbound.message_id for message in letter.messages],
            "done_position": snapshot.done_position if letter.stray else letter.last_position,
            "state": "dead" if answer.outcome == "dead" else "answered",
            "conversation_row": dump_json(conversation_row),
            "turn": dump_json(turn),
            "items": dump_json(answer.items),
            "outbox": dump_json(sealed_rows),
        }
