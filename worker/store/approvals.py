"""Ask people for their yes to a change, and bring what they decide into the conversation, once and in order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from runtime.encoding import dump_json, parse_json
from schema.ids import new_token
from schema.messages.inbound import Inbound, encode_inbound

if TYPE_CHECKING:
    from runtime.database import Database, Row, Transaction
    from runtime.sealing import ConversationSealer, Sealer
    from schema.ids import ConversationKey

Decision = Literal["approved", "rejected", "expired"]

MESSAGE_PREFIX: Final = "approval:"
"""How the ids of messages begin that carry a decision. The row of the approval says whether one does."""

MESSAGES_MAX: Final = 1_000_000
"""A decision is accepted however many messages wait in its conversation."""


@dataclass(frozen=True)
class Decided:
    """A decision as the conversation's mailbox brings it."""

    approval_id: str
    decision: Decision
    decided_by: str
    reason: str | None


def seal_details(own: ConversationSealer, pending: Any, inbound: Inbound) -> str:
    """Seal what is to be done, and where the customer wrote from: a decision comes to the conversation from there."""
    said = {"pending": pending, "channel": inbound.channel, "sender": inbound.sender, "metadata": inbound.metadata}
    return own.seal(dump_json(said))


def open_details(sealer: Sealer, row: Row) -> dict[str, Any]:
    """Open the details of an approval: what is to be done (`pending`), and the customer's address."""
    details: dict[str, Any] = parse_json(sealer.open(row["details"]))
    return details


async def decide(
    transaction: Transaction,
    sealer: Sealer,
    tenant: str,
    approval_id: str,
    *,
    person: str,
    decision: Decision,
    reason: str | None = None,
    accept: str = "accept_message",
) -> dict[str, Any]:
    """Decide an approval and accept the message that says so, in one transaction; return the row and its outcome.

    The message enters the conversation like a customer's: with the next position, taken up once, by whichever worker,
    whatever dies. Rescue puts it into the mailbox. `accept` is the statement that accepts.
    """
    message_id = f"{MESSAGE_PREFIX}{approval_id}:{new_token()}"
    [row] = await transaction.run(
        "decide_approval",
        tenant=tenant,
        approval_id=approval_id,
        person=person,
        decision=decision,
        reason=reason and await _seal_reason(transaction, sealer, tenant, approval_id, reason),
        message_id=message_id,
    )
    decided: dict[str, Any] = row["decided"]
    if decided["outcome"] != "done":
        return decided
    details = open_details(sealer, decided)
    inbound = Inbound(
        message_id=message_id,
        tenant=tenant,
        conversation=decided["conversation_id"],
        channel=details["channel"],
        sender=details["sender"],
        text=decision,
        metadata=details["metadata"],
    )
    await transaction.run(
        accept,
        tenant=tenant,
        conversation=inbound.conversation,
        message_id=message_id,
        channel=inbound.channel,
        payload=sealer.seal(encode_inbound(inbound)),
        sender_key=None,  # the turn that takes it up fills it in
        waiting_max=MESSAGES_MAX,
    )
    return decided


async def _seal_reason(transaction: Transaction, sealer: Sealer, tenant: str, approval_id: str, reason: str) -> str:
    rows = await transaction.run("find_approval_key", tenant=tenant, approval_id=approval_id)
    return sealer.with_kept_key(rows[0]["sealed_key"] if rows else None).seal_text(reason)


async def find_decision(database: Database, sealer: Sealer, key: ConversationKey, message_id: str) -> Decided | None:
    """Find the decision that a message carries; None for a customer's message, whatever its id looks like."""
    if not message_id.startswith(MESSAGE_PREFIX):
        return None
    rows = await database.read(key.tenant, "find_decision", message_id=message_id, **key._asdict())
    if not rows:
        return None
    row = rows[0]
    reason = row["reason"] and sealer.open_text(row["reason"])
    return Decided(row["approval_id"], row["state"], row["decided_by"], reason)
