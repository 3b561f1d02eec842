"""Commit: write everything a turn leaves behind in one PostgreSQL transaction, or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import psycopg

from runtime.database import Database
from runtime.encoding import dump_json
from runtime.failpoints import Failpoint, no_failpoint
from runtime.sealing import ConversationSealer, Sealer
from schema.ids import event_id_of, reply_id_of, ticket_id_of, trace_id_of
from schema.messages.escalation import SUMMARY_CHARACTERS_MAX, Escalation
from schema.messages.event import Event
from schema.messages.reply import Reply
from worker.conversation.vault import Vault
from worker.outbound.publisher import OutboxRow
from worker.pipeline.briefing import brief, refer
from worker.store.approvals import seal_details

if TYPE_CHECKING:
    from worker.conversation.domain import Domain
    from worker.conversation.effects import EffectStore
    from worker.pipeline.outcome import Answer, TurnRun

_REASON_CHARACTERS_MAX = 1_000
_FENCED_STATES = {"FT001", "FT002"}
_OVERTAKEN_STATE = "FT005"
_DEADLOCK_STATE = "40P01"
Statement = tuple[str, Mapping[str, Any]]


class Fenced(Exception):
    """The conversation moved on since it was read: this turn's work is thrown away."""


class Overtaken(Exception):
    """A message came while earlier ones were answered: nothing is done yet, and the reply would be stale."""


class EffectConflict(Exception):
    """A booking that this turn prepared is no longer possible: somebody else was quicker."""


class Committer:
    """Writes turns; the fence is the conversation's version and the state of its messages."""

    def __init__(
        self,
        database: Database,
        sealer: Sealer,
        domain: Domain,
        effects: EffectStore,
        failpoint: Failpoint = no_failpoint,
    ) -> None:
        self._database = database
        self._sealer = sealer
        self._domain = domain
        self._effects = effects
        self._failpoint = failpoint

    async def commit(self, run: TurnRun, answer: Answer) -> list[OutboxRow]:
        """Write a turn and return the outbox rows to publish.

        Raises Fenced, Overtaken or EffectConflict, with nothing written. A connection lost meanwhile leaves the outcome
        open: the caller reads the conversation again and finds the message answered, or not; it never repeats the
        commit blindly.
        """
        rows = self._outbox_rows(run, answer)
        own = self._sealer.for_conversation(run.snapshot.sealed_key)
        statements = [*_desk_statements(run, answer, own), *_approval_statements(run, answer, own)]
        statements += _statements(run, answer, own)
        statements.append(("commit_turn", _turn_parameters(run, answer, rows, own)))
        try:
            if answer.effects:
                await self._commit_with_effects(run.message.key.tenant, answer, statements)
            else:
                await self._database.run_all(run.message.key.tenant, statements)
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
            self._failpoint("commit.written")

    def _outbox_rows(self, run: TurnRun, answer: Answer) -> list[OutboxRow]:
        message, snapshot, due = run.message, run.snapshot, run.due
        key = message.key
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
                in_reply_to=[each.inbound.message_id for each in message.messages],
                channel=message.inbound.channel,
                recipient=message.inbound.sender,
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
                ticket_id=ticket_id_of(key, message.position),
                category=answer.escalation.category,
                reason=answer.escalation.reason[:_REASON_CHARACTERS_MAX],
                summary=answer.escalation.summary[:SUMMARY_CHARACTERS_MAX],
                priority=answer.escalation.priority,
                answer_by=answer.escalation.answer_by or due.answer_by,
                transcript=refer(message, snapshot),
                briefing=brief(self._domain, message, snapshot, answer),
                **shared,
            )
            body = escalation.model_dump_json()
            rows.append(OutboxRow(ordinal, "escalation", None, escalation.ticket_id, sequence, body))
        for name, attributes in answer.events:
            ordinal += 1
            event = Event(event_id=event_id_of(key, ordinal), name=name, attributes=attributes, **shared)
            rows.append(OutboxRow(ordinal, "event", None, event.event_id, sequence, event.model_dump_json()))
        return rows


def _turn_parameters(run: TurnRun, answer: Answer, rows: list[OutboxRow], own: ConversationSealer) -> dict[str, Any]:
    message, snapshot, clock, journal = run.message, run.snapshot, run.clock, run.journal
    sealed_rows = [{**vars(row), "body": own.seal(row.body)} for row in rows]
    # A message may be buried because its conversation could not be read: the unreadable vault is replaced then.
    keeps_vault = not answer.vault and answer.outcome != "dead"
    conversation_row = {
        "seen_position": message.last_position if message.is_open else None,
        "sender_key": snapshot.sender_key or None,
        "held_sender_key": snapshot.held_sender_key,
        "sender_is_new": snapshot.sender_is_new,
        "first_sender_key": snapshot.first_sender_key,
        "message_sender_key": None if message.unreadable else snapshot.sender_key,
        "last_sequence": snapshot.last_sequence + (answer.reply is not None),
        "last_agent": answer.agent,
        "context": own.seal_fields(answer.context.model_dump(mode="json")),
        "vault": None if keeps_vault else own.seal(dump_json(answer.vault)),
    }
    turn = {
        "outcome": answer.outcome,
        "agent": answer.agent,
        "attempts": message.attempts,
        "started_at": clock.started_at,
        "timings": clock.timings,
        "model_calls": [vars(call) for call in journal.every_call],
        "tool_calls": [vars(call) for call in journal.tools.every_call] if journal.tools is not None else [],
        "verdicts": answer.verdicts,
    }
    return {
        "tenant": message.key.tenant,
        "conversation": message.key.conversation,
        "version": snapshot.version,
        "message_ids": [] if message.stray else [each.inbound.message_id for each in message.messages],
        "done_position": snapshot.done_position if message.stray else message.last_position,
        "state": "dead" if answer.outcome == "dead" else "answered",
        "conversation_row": dump_json(conversation_row),
        "turn": dump_json(turn),
        "items": dump_json([own.seal_item(item) for item in answer.items]),
        "outbox": dump_json(sealed_rows),
    }


def _statements(run: TurnRun, answer: Answer, own: ConversationSealer) -> list[Statement]:
    """Return what a turn keeps of a ticket, or of a message that was given up."""
    message, snapshot, due = run.message, run.snapshot, run.due
    key = message.key
    statements: list[Statement] = []
    if own.sealed_key is not None and snapshot.sealed_key is None:
        statements.append(("keep_key", {**key._asdict(), "sealed_key": own.sealed_key}))
    if answer.escalation is not None:
        ticket = {
            "tenant": key.tenant,
            "ticket_id": ticket_id_of(key, message.position),
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
            "message_id": None if message.stray else message.inbound.message_id,
            "entry": message.position if message.stray else None,
            "reason": answer.buried_because,
            "attempts": message.attempts - 1,
            "payload": own.reseal(message.payload),
        }
        statements.append(("bury_letter", buried))
    return statements


def _desk_statements(run: TurnRun, answer: Answer, own: ConversationSealer) -> list[Statement]:
    """Return what a person needs for a reply to a message that is left to them."""
    if answer.outcome != "forwarded":
        return []
    inbound = run.message.inbound
    forwarded = {
        **run.message.key._asdict(),
        "version": run.snapshot.version,
        "return_address": own.seal(dump_json({"channel": inbound.channel, "recipient": inbound.sender})),
        "answer_by": run.due.answer_by,
    }
    return [("note_forwarded", forwarded)]


def _approval_statements(run: TurnRun, answer: Answer, own: ConversationSealer) -> list[Statement]:
    """Return what asks a person for a yes, or notes what became of one."""
    message, key = run.message, run.message.key
    statements: list[Statement] = []
    if answer.approval is not None:
        pending = answer.approval
        asked = {
            **key._asdict(),
            "approval_id": pending.approval_id,
            "position": message.position,
            "kind": pending.kind,
            "amount_usd": pending.amount_usd,
            "policy": pending.policy,
            "details": seal_details(own, pending.model_dump(mode="json"), message.inbound),
            "expires_at": answer.decide_by,
        }
        statements.append(("add_approval", asked))
    if answer.settled is not None:
        approval_id, outcome = answer.settled
        settled = {"tenant": key.tenant, "approval_id": approval_id, "outcome": outcome}
        statements.append(("settle_approval", settled))
    return statements
