"""Read what happened in a conversation behind what a person has seen: acts of the desk, and the customer's messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from schema.messages.inbound import Inbound
from worker.conversation.vault import Vault
from worker.guardrails.pii import mask_text, normalise

if TYPE_CHECKING:
    from runtime.database import Row, Transaction
    from runtime.sealing import Sealer
    from schema.ids import ConversationKey

NEWS_MAX: Final = 50
"""Newest acts, or messages, that are shown."""


async def new_acts(transaction: Transaction, key: ConversationKey, after: int) -> list[dict[str, Any]]:
    """List the acts behind a version of the desk, oldest first, without notes."""
    rows = await transaction.run(
        "list_desk_acts", tenant=key.tenant, conversation=key.conversation, after=after, rows_max=NEWS_MAX
    )
    return [{"number": row["number"], "act": row["act"], "by": row["by_person"], "at": row["at"]} for row in rows]


async def new_messages(
    transaction: Transaction, sealer: Sealer, key: ConversationKey, after: int
) -> list[dict[str, Any]]:
    """List the customer's messages behind a position, oldest first, masked as agents read them."""
    rows = await transaction.run(
        "list_new_messages", tenant=key.tenant, conversation=key.conversation, position=after, rows_max=NEWS_MAX
    )
    return [
        {"position": row["position"], "message_id": row["message_id"], "text": _text_of(row, sealer)}
        for row in reversed(rows)
    ]


def _text_of(row: Row, sealer: Sealer) -> str:
    if row["payload"] is None:
        return "\n\n".join(str(sealer.open_item(item).get("content") or "") for item in row["items"] or [])
    inbound = Inbound.model_validate_json(sealer.open(row["payload"]), extra="ignore")
    return mask_text(normalise(inbound.text), Vault()).text
