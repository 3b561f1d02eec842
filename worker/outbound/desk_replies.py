"""Put a reply that no turn writes into a conversation's outbox: a person's, or a notice of the desk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from runtime.encoding import parse_json
from schema.ids import reply_id_of, trace_id_of
from schema.messages.inbound import Inbound
from schema.messages.reply import IN_REPLY_TO_MAX, Reply

if TYPE_CHECKING:
    from datetime import datetime

    from runtime.database import Row, Transaction
    from runtime.sealing import Sealer
    from schema.channels import Channel
    from schema.ids import ConversationKey

DESK: str = "desk"
"""Who writes the desk's notices, where a person would be named: they are no words of the bot either."""


@dataclass(frozen=True)
class CustomerAddress:
    """Where a customer's newest message came from."""

    channel: Channel
    recipient: str


@dataclass(frozen=True)
class Words:
    """What is said, in clear, and by whom: a person's name, or DESK."""

    text: str
    agent: str
    by: str


async def read_ground(transaction: Transaction, key: ConversationKey, position: int) -> Row:
    """Read what a reply to everything up to a position needs (`find_reply_ground`)."""
    [ground] = await transaction.run(
        "find_reply_ground",
        tenant=key.tenant,
        conversation=key.conversation,
        position=position,
        messages_max=IN_REPLY_TO_MAX,
    )
    return ground


def find_address(ground: Row, sealer: Sealer) -> CustomerAddress | None:
    """Find where a reply goes: where the newest message came from that is known; None when no address is."""
    newest = ground["newest"]
    if newest is None:
        return None
    if newest["payload"] is not None:
        inbound = Inbound.model_validate_json(sealer.open(newest["payload"]), extra="ignore")
        return CustomerAddress(inbound.channel, inbound.sender)
    if ground["return_address"]:
        kept: dict[str, Any] = parse_json(sealer.open(ground["return_address"]))
        return CustomerAddress(kept["channel"], kept["recipient"])
    if ground["last_reply"]:
        last = Reply.model_validate_json(sealer.open(ground["last_reply"]))
        return CustomerAddress(last.channel, last.recipient)
    return None


async def add_reply(
    transaction: Transaction,
    sealer: Sealer,
    key: ConversationKey,
    words: Words,
    *,
    ground: Row,
    address: CustomerAddress,
    now: datetime,
) -> Reply:
    """Add a reply with the next ordinal and sequence by the same transaction; rescue publishes it.

    The caller has advanced the conversation's version in that transaction.
    """
    names = {"tenant": key.tenant, "conversation": key.conversation}
    place = (await transaction.run("take_reply_place", **names))[0]
    made = Reply(
        reply_id=reply_id_of(key, place["last_sequence"]),
        tenant=key.tenant,
        conversation=key.conversation,
        sequence=place["last_sequence"],
        in_reply_to=ground["answers"] or [ground["newest"]["message_id"]],
        channel=address.channel,
        recipient=address.recipient,
        text=words.text,
        agent=words.agent,
        issue_type=None,
        trace_id=trace_id_of(key),
        created_at=now,
        by_person=True,
    )
    await transaction.run(
        "add_person_reply",
        ordinal=place["last_ordinal"],
        sequence=made.sequence,
        channel=made.channel,
        entry_id=made.reply_id,
        body=sealer.with_kept_key(ground["sealed_key"]).seal(made.model_dump_json()),
        by_person=words.by,
        **names,
    )
    return made
