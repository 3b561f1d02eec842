"""Hydrate: read everything a turn starts from, in one round trip."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from runtime.database import Database
from runtime.encoding import parse_json
from runtime.sealing import Sealer
from schema.errors import Unsealable
from schema.ids import ConversationKey
from schema.messages import VERSION, Envelope, Inbound, newer_version_in
from schema.settings import Settings
from worker.conversation.context import AirlineAgentContext
from worker.journal.tool_calls import ToolEntry
from worker.journal.tool_store import open_entries
from worker.mailbox.mailbox import Head
from worker.outbound.publisher import OutboxRow
from worker.pipeline.outcome import Letter, Snapshot
from worker.store.session import window_of


class Undecodable(Exception):
    """Say that a mailbox entry is not an envelope of ours, or was sealed with a key that is gone."""


class OfNewerRelease(Undecodable):
    """Say that an entry, or the message sealed in it, has a version that this release must not read."""

    def __init__(self, version: int) -> None:
        super().__init__(f"of version {version}, and this release reads up to {VERSION}")
        self.version = version


def open_letter(sealer: Sealer, key: ConversationKey, head: Head) -> Letter:
    """Read and unseal the head of a mailbox.

    Raises Undecodable, or its kind OfNewerRelease; their texts hold nothing of the content.
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
    return Letter(key, envelope.position, inbound, envelope.payload, head.attempts)


def envelope_of(letter: Letter) -> Envelope:
    """Give the envelope that a letter came in."""
    return Envelope(position=letter.position, message_id=letter.inbound.message_id, payload=letter.payload)


async def hydrate(database: Database, sealer: Sealer, letter: Letter, settings: Settings) -> Snapshot | None:
    """Read the conversation of a letter; None when PostgreSQL knows no such conversation.

    What is stored of it must be readable, or this raises Unsealable or ValueError; once the letter's attempts are used
    up it need not be, so that the message can be buried and the conversation goes on from nothing.
    """
    rows = await database.read(
        letter.key.tenant,
        "hydrate_conversation",
        tenant=letter.key.tenant,
        conversation=letter.key.conversation,
        message_id=letter.inbound.message_id,
        history_items_max=settings.history_items_max,
        followers_max=settings.burst_messages_max - 1,
        burst_seconds_max=settings.burst_seconds_max,
    )
    if not rows:
        return None
    try:
        memory = _recall(rows[0], sealer)
    except (Unsealable, ValueError):
        if letter.attempts <= settings.attempts_max:
            raise
        memory = _Memory(AirlineAgentContext(), {}, [], {})
    return _snapshot(rows[0], memory, letter.key)


@dataclass(frozen=True)
class _Memory:
    """Hold what is stored sealed, or in a form that releases may change."""

    context: AirlineAgentContext
    vault: dict[str, str]
    unpublished: list[OutboxRow]
    tools: dict[str, ToolEntry]


def _recall(row: dict[str, Any], sealer: Sealer) -> _Memory:
    return _Memory(
        context=AirlineAgentContext.model_validate(row["context"]),
        vault=parse_json(sealer.open(row["vault"])) if row["vault"] else {},
        unpublished=[OutboxRow(**{**item, "body": sealer.open(item["body"])}) for item in row["unpublished"]],
        tools=open_entries(row["tools"], sealer),
    )


def _snapshot(row: dict[str, Any], memory: _Memory, key: ConversationKey) -> Snapshot:
    return Snapshot(
        version=row["version"],
        owner=row["owner"],
        last_position=row["last_position"],
        done_position=row["done_position"],
        last_sequence=row["last_sequence"],
        last_ordinal=row["last_ordinal"],
        last_agent=row["last_agent"],
        context=memory.context.model_copy(update={"conversation_id": key.conversation}),
        vault=memory.vault,
        state=row["state"],
        read_at=row["read_at"],
        accepted_at=row["accepted_at"] or row["read_at"],
        waited_seconds=row["waited_seconds"] or 0.0,
        items=window_of(row["items"]),
        unpublished=memory.unpublished,
        journal=row["journal"],
        tools=memory.tools,
        followers=row["followers"],
        stream_life=row["stream_life"],
    )
