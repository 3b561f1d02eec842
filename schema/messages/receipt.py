"""Receipt: what a gateway gets for a message that is accepted."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from schema.messages.wire import ConversationId, MessageId, TenantId, WireModel


class Receipt(WireModel):
    """Confirmation that a message is accepted: it ends answered, or parked where people see it."""

    status: Literal["accepted", "duplicate"]
    message_id: MessageId
    tenant: TenantId
    conversation: ConversationId
    position: int = Field(ge=1, description="1, 2, 3 … within the conversation")
