"""Record what an operator or a support desk did in a conversation, as an event of the outbox."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from runtime.database import Transaction
from runtime.sealing import Sealer
from runtime.telemetry.tracing_table import event_rows
from schema.ids import ConversationKey, event_id_of, trace_id_of
from schema.messages.event import Event, EventName

NAME_CHARACTERS_MAX = 200


def check_name(name: str, doing: str) -> str:
    """Return the name of a person who goes on record, without blanks around it; raises ValueError."""
    who = name.strip()
    if not who or len(who) > NAME_CHARACTERS_MAX:
        raise ValueError(f"who {doing} is named in 1 to {NAME_CHARACTERS_MAX} characters, not {len(who)}")
    return who


async def announce(
    transaction: Transaction,
    sealer: Sealer,
    key: ConversationKey,
    name: EventName,
    *,
    now: datetime,
    attributes: Mapping[str, str] = MappingProxyType({}),
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
        body=sealer.seal(event.model_dump_json()),
        **names,
    )
    await transaction.run("record_spans", spans=event_rows(key, name, at=now))
