"""Write rows of the outbox that no turn writes: events, and replies of people."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from runtime.telemetry.tracing_table import event_rows
from schema.ids import event_id_of, trace_id_of
from schema.messages.event import Event

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from runtime.database import Transaction
    from runtime.sealing import Sealer
    from schema.ids import ConversationKey
    from schema.messages.event import EventName

_NONE: Final[Mapping[str, str]] = MappingProxyType({})


async def announce(
    transaction: Transaction,
    sealer: Sealer,
    key: ConversationKey,
    name: EventName,
    *,
    now: datetime,
    attributes: Mapping[str, str] = _NONE,
) -> None:
    """Add an event to the outbox by the same transaction; rescue publishes it, and the trace shows it.

    The caller has advanced the conversation's version in that transaction, because a turn under way relies on the
    ordinals it has read.
    """
    names = {"tenant": key.tenant, "conversation": key.conversation}
    place = (await transaction.run("take_ordinal", **names))[0]
    event = Event(
        event_id=event_id_of(key, place["last_ordinal"]),
        tenant=key.tenant,
        conversation=key.conversation,
        name=name,
        attributes=dict(attributes),
        trace_id=trace_id_of(key),
        created_at=now,
    )
    await transaction.run(
        "add_event",
        ordinal=place["last_ordinal"],
        entry_id=event.event_id,
        sequence=place["last_sequence"],
        body=sealer.with_kept_key(place["sealed_key"]).seal(event.model_dump_json()),
        **names,
    )
    await transaction.run("record_spans", spans=event_rows(key, name, at=now))
