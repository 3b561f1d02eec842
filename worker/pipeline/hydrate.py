"""Hydrate: read everything a turn starts from, in one round trip."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from pydantic import ValidationError

from runtime.database import Database
from runtime.encoding import parse_json
from runtime.sealing import Sealer
from runtime.sender_keys import SenderKeys
from schema.errors import Unsealable
from schema.ids import ConversationKey
from schema.messages.envelope import Envelope
from schema.messages.inbound import Inbound
from schema.messages.reply import Reply
from schema.messages.wire import VERSION, newer_version_in
from schema.settings.turns import TurnSettings
from schema.tenants import read_tenant_settings
from worker.conversation.context import AirlineAgentContext
from worker.conversation.domain import EarlierConversation
from worker.journal.tool_calls import ToolEntry
from worker.journal.tool_store import open_entries
from worker.mailbox.mailbox import Head
from worker.outbound.publisher import OutboxRow
from worker.pipeline.outcome import OpenedMessage, Snapshot
from worker.store.session import window_of


class Undecodable(Exception):
    """A mailbox entry is not an envelope of ours, or was sealed with a key that is gone."""


class OfNewerRelease(Undecodable):
    """An entry, or the message sealed in it, has a version that this release must not read."""

    def __init__(self, version: int) -> None:
        super().__init__(f"of version {version}, and this release reads up to {VERSION}")
        self.version = version


def open_message(sealer: Sealer, key: ConversationKey, head: Head) -> OpenedMessage:
    """Parse and unseal the head of a mailbox.

    Raises Undecodable, or its subclass OfNewerRelease; their texts hold nothing of the content.
    """
    try:
        envelope = Envelope.model_validate_json(head.raw)
        inbound = Inbound.model_validate_json(sealer.open(envelope.payload), extra="ignore")
    except ValidationError as error:
        version = newer_version_in(error)
        if version is not None:
            raise OfNewerRelease(version) from None
        kinds = ", ".join(f"{'.'.join(map(str, detail['loc']))}: {detail['type']}" for detail in error.errors()[:3])
        raise Undecodable(f"not an envelope of this release ({kinds})") from None
    except Unsealable as error:
        raise Undecodable(str(error)) from None
    if (inbound.tenant, inbound.conversation, inbound.message_id) != (*key, envelope.message_id):
        raise Undecodable("the sealed message belongs to another mailbox")
    return OpenedMessage(key, envelope.position, inbound, envelope.payload, head.attempts, cause=head.cause)


def envelope_of(message: OpenedMessage) -> Envelope:
    """Return the envelope that a message came in."""
    return Envelope(position=message.position, message_id=message.inbound.message_id, payload=message.payload)


async def hydrate(
    database: Database, sealer: Sealer, senders: SenderKeys, message: OpenedMessage, settings: TurnSettings
) -> Snapshot | None:
    """Read the conversation of a message, as its sender knows it; None when PostgreSQL knows no such conversation.

    A sender who writes in somebody else's conversation starts from nothing: context, vault, agent and history are each
    sender's own.

    What is stored of it must be readable, or this raises Unsealable or ValueError; once the message's attempts are used
    up it need not be, so that the message can be buried and the conversation goes on from nothing.
    """
    wrote = None if message.unreadable else senders.key_of_message(message.inbound)
    rows = await database.read(
        message.key.tenant,
        "hydrate_conversation",
        tenant=message.key.tenant,
        conversation=message.key.conversation,
        message_id=message.inbound.message_id,
        sender_key=wrote,
        replies_max=_REPLIES_MAX,
        history_items_max=settings.history_items_max,
        followers_max=settings.burst_messages_max - 1,
        burst_seconds_max=settings.burst_seconds_max,
        recalls_days=settings.sender_silence_days_max if wrote and message.inbound.sender_is_verified else None,
    )
    if not rows:
        return None
    row = rows[0]
    try:
        owners = _find_owners(row, sealer, senders)
        memory = _recall(row, sealer, owners, wrote, timedelta(days=settings.sender_silence_days_max))
    except (Unsealable, ValueError):
        if message.attempts <= settings.attempts_max:
            raise
        owners = _Owners(row["held_sender_key"], row["first_sender_key"])
        memory = _Memory(AirlineAgentContext(), {}, None, [], [], {}, is_new=False)
    return _snapshot(row, memory, message.key, owners, wrote or owners.held or "")


_REPLIES_MAX = 200
"""Most replies that are read to find the owner of an unmarked state."""


@dataclass(frozen=True)
class _Owners:
    """Sender keys of a conversation: whose state it holds, and who began it and owns what is unmarked."""

    held: str | None
    first: str | None


def _find_owners(row: dict[str, Any], sealer: Sealer, senders: SenderKeys) -> _Owners:
    """Find whose state a conversation holds, where a worker of the release before has left it unmarked.

    It is the first sender's if everything that was ever answered went to one and the same, and nobody's otherwise.
    """
    held, first = row["held_sender_key"], row["first_sender_key"]
    if held is not None or not row["telling_replies"]:
        return _Owners(held, first)
    replies = [Reply.model_validate_json(sealer.open(body)) for body in row["telling_replies"]]
    known = {senders.key_of(reply.tenant, reply.channel, reply.recipient) for reply in replies}
    only = known.pop() if len(known) == 1 and len(replies) < _REPLIES_MAX else None
    return _Owners(only if first in {None, only} else None, first or only)


@dataclass(frozen=True)
class _Memory:
    """What is stored sealed, or in a form that releases may change: of the sender, and unpublished rows."""

    context: AirlineAgentContext
    vault: dict[str, str]
    last_agent: str | None
    items: list[Any]
    unpublished: list[OutboxRow]
    tools: dict[str, ToolEntry]
    earlier: tuple[EarlierConversation, ...] = field(default=(), kw_only=True)
    is_new: bool
    """Whether the sender was silent for so long that it may be somebody else."""


_NOTHING: Mapping[str, Any] = {"context": {}, "vault": None, "last_agent": None, "heard_at": None}


def _recall(row: dict[str, Any], sealer: Sealer, owners: _Owners, wrote: str | None, silence_max: timedelta) -> _Memory:
    """Read what a conversation knows of a sender; `wrote` None: of who wrote last, for a message nobody can read."""
    state = row if wrote is None or wrote == owners.held else (row["put_aside"] or _NOTHING)
    is_new = wrote is not None and _was_silent(row, state["heard_at"], silence_max)
    if is_new:
        state = _NOTHING
    context = AirlineAgentContext.model_validate(sealer.open_fields(state["context"]))
    if context.verified and context.verified_sender_key is None:
        context.verified_sender_key = wrote or owners.held  # of a worker of the release before
    unmarked_too = wrote is None or wrote == owners.first
    items = [] if is_new else [item for item, is_unmarked in row["items"] if unmarked_too or not is_unmarked]
    items = [sealer.open_item(item) for item in items]
    earlier = _earlier(row, sealer) if wrote is not None and not is_new and _knows_nothing(row, owners, wrote) else ()
    return _Memory(
        earlier=earlier,
        context=context,
        vault=parse_json(sealer.open(state["vault"])) if state["vault"] else {},
        last_agent=state["last_agent"],
        items=items,
        unpublished=[OutboxRow(**{**item, "body": sealer.open(item["body"])}) for item in row["unpublished"]],
        tools=open_entries(row["tools"], sealer),
        is_new=is_new,
    )


def _knows_nothing(row: dict[str, Any], owners: _Owners, wrote: str) -> bool:
    """Check whether a conversation begins for this sender."""
    return row["put_aside"] is None and (row["version"] == 0 or wrote != owners.held)


def _earlier(row: dict[str, Any], sealer: Sealer) -> tuple[EarlierConversation, ...]:
    """Open what earlier conversations knew; one that cannot be read is left out, for nothing depends on it."""
    found = []
    for each in row["earlier"] or ():
        with suppress(Unsealable, ValueError):
            found.append(
                EarlierConversation(
                    AirlineAgentContext.model_validate(sealer.open_fields(each["context"])),
                    parse_json(sealer.open(each["vault"])) if each["vault"] else {},
                    datetime.fromisoformat(each["heard_at"]),
                    tuple((ticket, datetime.fromisoformat(opened)) for ticket, opened in each["tickets"]),
                )
            )
    return tuple(found)


def _was_silent(row: dict[str, Any], heard_at: datetime | str | None, silence_max: timedelta) -> bool:
    if heard_at is None or row["accepted_at"] is None or row["version"] == 0:
        return False
    heard = datetime.fromisoformat(heard_at) if isinstance(heard_at, str) else heard_at
    return bool(row["accepted_at"] - heard > silence_max)


def _snapshot(row: dict[str, Any], memory: _Memory, key: ConversationKey, owners: _Owners, sender_key: str) -> Snapshot:
    tenant_settings = read_tenant_settings(row["tenant_settings"] or {})[0]
    return Snapshot(
        version=row["version"],
        owner=row["owner"],
        last_position=row["last_position"],
        done_position=row["done_position"],
        last_sequence=row["last_sequence"],
        last_ordinal=row["last_ordinal"],
        last_agent=memory.last_agent,
        context=memory.context.model_copy(update={"conversation_id": key.conversation}),
        vault=memory.vault,
        state=row["state"],
        read_at=row["read_at"],
        accepted_at=row["accepted_at"] or row["read_at"],
        waited_seconds=row["waited_seconds"] or 0.0,
        items=window_of(memory.items),
        unpublished=memory.unpublished,
        journal=row["journal"],
        tools=memory.tools,
        followers=row["followers"],
        stream_epoch=row["stream_life"],
        brand=row["brand"],
        tenant_settings=tenant_settings,
        sender_key=sender_key,
        held_sender_key=owners.held,
        sender_is_new=memory.is_new,
        first_sender_key=owners.first,
        earlier=memory.earlier if tenant_settings.remembers_customers else (),
        sealed_key=row["sealed_key"],
    )
