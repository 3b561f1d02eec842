"""Claim replies that are due, look for the last time whether they may leave, send their parts, and settle each."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import structlog
from pydantic import ValidationError

from producer.delivery.claims import SETTLE_SECONDS, ClaimedTasks
from producer.delivery.reply_channel import OutgoingPart, ReplyRoute, SendOutcome
from producer.delivery.reply_rules import ReplyVerdict, judge_outcome
from runtime.database import EVERY_TENANT
from runtime.encoding import dump_json
from runtime.failpoints import Failpoint, no_failpoint
from runtime.outage import POSTGRESQL_AWAY
from schema.channel_accounts import InvalidAccount
from schema.errors import Unsealable
from schema.messages.reply import Reply

if TYPE_CHECKING:
    from producer.delivery.metrics import DeliveryMetrics
    from producer.delivery.reply_channel import ReplyChannel
    from producer.delivery.reply_tickets import ReplyTickets
    from runtime.channel_accounts import ChannelAccounts
    from runtime.database import Database, Row
    from runtime.outage import Outages
    from runtime.sealing import Sealer

DELIVERIES_MAX: Final = 32
"""Replies that one process has under way at once."""

OF_ONE_ACCOUNT_MAX: Final = 8
"""Of those, the replies of one account."""

_log = structlog.get_logger("fte.replies")


@dataclass(frozen=True)
class ReplyParts:
    """What deliveries of replies work with."""

    database: Database
    sealer: Sealer
    accounts: ChannelAccounts
    channel: ReplyChannel
    tickets: ReplyTickets
    outages: Outages
    metrics: DeliveryMetrics
    failpoint: Failpoint = no_failpoint


@dataclass(frozen=True)
class _Claimed:
    """A reply that this process has claimed."""

    row: Row
    reply: Reply
    route: ReplyRoute

    @property
    def names(self) -> dict[str, Any]:
        return {"tenant": self.row["tenant_id"], "reply_id": self.row["reply_id"]}


class ReplyDeliveries:
    """Sends the replies of one channel; any number of processes share the work.

    A conversation's replies leave in order: one is due only when none before it waits. An attempt at a part is recorded
    before it is sent, by the statement that looks for the last time whether it may leave. A process that dies in
    between leaves a claim that runs out; what it began counts as unknown then, and is asked about before it is sent
    again.
    """

    def __init__(self, parts: ReplyParts) -> None:
        self._parts = parts
        self._hold_seconds = parts.channel.send_seconds_max + SETTLE_SECONDS
        self.tasks = ClaimedTasks("reply", tasks_max=DELIVERIES_MAX, each_max=OF_ONE_ACCOUNT_MAX)

    @property
    def send_seconds_max(self) -> float:
        """Return how long an attempt takes at most."""
        return self._parts.channel.send_seconds_max

    async def take_up(self) -> int:
        """Claim what is due, as far as there is room, and begin to send it; return how many were claimed."""
        if not self.tasks.room:
            return 0
        rows = await self._parts.database.read(
            EVERY_TENANT,
            "claim_replies",
            channel=self._parts.channel.name,
            busy=self.tasks.busy,
            each_max=self.tasks.each_max,
            deliveries_max=self.tasks.room,
            hold_seconds=self._hold_seconds,
        )
        for row in rows:
            self.tasks.begin(row["account_id"], self._deliver(row))
        return len(rows)

    async def _deliver(self, row: Row) -> None:
        try:
            await self._send_or_settle(row)
        except POSTGRESQL_AWAY as error:  # its claim runs out, and it is taken up again
            self._parts.outages.begins(error)

    async def _send_or_settle(self, row: Row) -> None:
        try:
            opened = await self._open(row)
            if isinstance(opened, _Claimed):
                await self._send_all(opened)
                return
        except Unsealable as error:  # another process may have the key
            opened = SendOutcome("retry", code="unsealable", reason=str(error))
        await self._settle(row, opened)

    async def _open(self, row: Row) -> _Claimed | SendOutcome:
        """Open a claimed reply and its account; a failed outcome for one that cannot be read."""
        try:
            account = await self._parts.accounts.get(row["tenant_id"], row["account_id"])
            if account is None:
                return SendOutcome("failed", reason="its account is gone")
            if row["body"] is None:
                return SendOutcome("failed", reason="it stands in the outbox no more")
            reply = Reply.model_validate_json(self._parts.sealer.open(row["body"]))
        except InvalidAccount as error:
            return SendOutcome("retry", code="unreadable", reason=str(error))
        except ValidationError:
            return SendOutcome("failed", reason="it cannot be read")
        route = ReplyRoute(
            account, row["conversation_id"], row["own_address"], row["own_group"], sender_key=row["sender_key"]
        )
        return _Claimed(row, reply, route)

    async def _send_all(self, claimed: _Claimed) -> None:
        """Send the parts that have not been taken yet, in order, until one is not taken."""
        parts = await self._find_parts(claimed)
        if isinstance(parts, SendOutcome):
            await self._settle(claimed.row, parts)
            return
        for part in parts:
            if part["state"] in {"accepted", "held"}:
                continue
            outcome = await self._send_one(claimed, part)
            if outcome is None:
                return  # another process has it
            if outcome.kind != "accepted":
                await self._settle(claimed.row, outcome)
                return
        await self._settle(claimed.row, SendOutcome("accepted"))

    async def _find_parts(self, claimed: _Claimed) -> list[Row] | SendOutcome:
        """Return the reply's parts, composed now unless they were; a failed outcome for what cannot be composed."""
        database = self._parts.database
        found = await database.read(claimed.row["tenant_id"], "find_reply_parts", **claimed.names)
        if found:
            return found
        try:
            composed = await self._parts.channel.compose(claimed.reply, claimed.route)
        except ValueError as error:
            return SendOutcome("failed", code="compose", reason=str(error))
        own = self._parts.sealer.with_kept_key(claimed.row["sealed_key"])
        rows = [
            {"number": number, "batch": part.batch, "content": own.seal(part.content)}
            for number, part in enumerate(composed, 1)
        ]
        await database.read(claimed.row["tenant_id"], "add_reply_parts", parts=dump_json(rows), **claimed.names)
        return await database.read(claimed.row["tenant_id"], "find_reply_parts", **claimed.names)

    async def _send_one(self, claimed: _Claimed, part: Row) -> SendOutcome | None:
        """Send one part, or find out what became of it; None where another process has taken the reply over."""
        if part["state"] in {"sending", "unknown"}:
            found = await self._resolve(claimed, part)
            if found.kind != "absent":
                return found
        elif part["state"] == "failed":
            return SendOutcome("failed", reason="a part of it failed before")
        tenant = claimed.row["tenant_id"]
        begun = await self._parts.database.read(
            tenant,
            "begin_reply_part",
            claim=claimed.row["claim"],
            part=part["number"],
            hold_seconds=self._hold_seconds,
            **claimed.names,
        )
        if not begun:
            return None
        if begun[0]["verdict"] != "send":
            return _verdict_as_outcome(begun[0]["verdict"])
        self._parts.failpoint("delivery.begun")
        outgoing = self._outgoing(claimed, part, attempt=begun[0]["attempt"], begun_at=begun[0]["begun_at"])
        began = time.perf_counter()
        outcome = await self._parts.channel.send(outgoing, claimed.route)
        self._parts.metrics.note(outcome.kind, time.perf_counter() - began)
        self._parts.failpoint("delivery.sent")
        await self._settle_part(claimed, outgoing, outcome)
        return outcome

    async def _resolve(self, claimed: _Claimed, part: Row) -> SendOutcome:
        """Find out what became of an attempt whose end nobody knows."""
        outgoing = self._outgoing(claimed, part, attempt=part["attempts"], begun_at=part["begun_at"])
        outcome = await self._parts.channel.resolve(outgoing, claimed.route)
        await self._settle_part(claimed, outgoing, outcome)
        return outcome

    def _outgoing(self, claimed: _Claimed, part: Row, *, attempt: int, begun_at: Any) -> OutgoingPart:
        return OutgoingPart(
            reply_id=claimed.row["reply_id"],
            number=part["number"],
            content=self._parts.sealer.open(part["content"]),
            recipient=claimed.reply.recipient,
            attempt=attempt,
            begun_at=begun_at,
            now=max(begun_at, claimed.row["now"]),
        )

    async def _settle_part(self, claimed: _Claimed, part: OutgoingPart, outcome: SendOutcome) -> None:
        names = {**claimed.names, "part": part.number, "attempt": part.attempt}
        state = _PART_STATES[outcome.kind]
        await self._parts.database.run_all(
            claimed.row["tenant_id"],
            [
                ("end_reply_attempt", {**names, "outcome": outcome.kind, "code": outcome.code}),
                ("settle_reply_part", {**names, "state": state, "provider_id": outcome.provider_id}),
            ],
        )

    async def _settle(self, row: Row, outcome: SendOutcome) -> None:
        """Settle the whole reply: what follows is decided by rules, and takes effect at once."""
        verdict = judge_outcome(self._parts.channel.schedule, row, outcome)
        names = {"tenant": row["tenant_id"], "conversation": row["conversation_id"], "channel": row["channel"]}
        reply = {"tenant": row["tenant_id"], "reply_id": row["reply_id"], "claim": row["claim"]}
        settled = {
            "state": verdict.state,
            "reason": verdict.reason or None,
            "has_failed": verdict.has_failed,
            "after_seconds": verdict.after_seconds,
            "code": outcome.code,
        }
        account = {"pause_seconds": outcome.pause_seconds, "disabled_reason": verdict.disabled_reason}
        tickets = self._parts.tickets
        hours = await tickets.hours_of(row["tenant_id"]) if verdict.needs_person else None
        async with self._parts.database.transaction(row["tenant_id"]) as transaction:
            await transaction.run("lock_reply_conversation", **names)
            if not await transaction.count("settle_reply", {**reply, **settled}):
                return  # another process has claimed it meanwhile
            await transaction.run("free_replies", **names)
            account_names = {"tenant": row["tenant_id"], "account_id": row["account_id"]}
            await transaction.run("note_channel_account", **account_names, **account)
            if verdict.suppresses:
                await transaction.run("suppress_sender", **suppression_of(row, outcome))
            if hours is not None:
                await tickets.open(transaction, row, verdict.reason, hours)
        _tell(row, replace(outcome, reason=verdict.reason), verdict)


_PART_STATES: Final = {
    "accepted": "accepted",
    "absent": "ready",
    "retry": "ready",
    "unknown": "unknown",
    "failed": "failed",
    "suppressed": "failed",
    "stopped": "ready",
}


def _verdict_as_outcome(verdict: str) -> SendOutcome:
    """Return the outcome of a reply that may not leave, as the last look said."""
    if verdict == "withheld":
        return SendOutcome("failed", code="withheld", reason="a person owns the conversation")
    if verdict == "suppressed":
        return SendOutcome("suppressed", reason="the customer has opted out")
    return SendOutcome("retry", code=verdict, reason=f"the {_WHO[verdict]} is {verdict}")


_WHO: Final = {"suspended": "tenant", "stopped": "account"}


def suppression_of(row: Row, outcome: SendOutcome) -> dict[str, Any]:
    """Return the suppression that an outcome asks for: from our messaging service, else our number."""
    return {
        "tenant": row["tenant_id"],
        "channel": row["channel"],
        "own_address": row["own_group"] or row["own_address"],
        "sender_key": row["sender_key"],
        "reason": outcome.code or "provider",
    }


def _tell(row: Row, outcome: SendOutcome, verdict: ReplyVerdict) -> None:
    about = {
        "tenant": row["tenant_id"],
        "conversation": row["conversation_id"],
        "reply_id": row["reply_id"],
        "account": row["account_id"],
        "outcome": outcome.kind,
        "code": outcome.code,
    }
    if verdict.disabled_reason is not None:
        _log.error("channel.stopped", **about, reason=verdict.disabled_reason)
    elif verdict.state == "dead":
        _log.error("reply.dead", **about, reason=outcome.reason)
    elif verdict.state == "waiting":
        _log.warning("reply.not_sent", **about, reason=outcome.reason, again_seconds=round(verdict.after_seconds))
    else:
        _log.info(f"reply.{verdict.state}", **about)
