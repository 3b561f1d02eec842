"""Webhook: the body of what receivers outside are told, signed by the Standard Webhooks specification."""

from __future__ import annotations

from typing import Any, Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from schema.messages.event import AnyEventName
from schema.messages.wire import ConversationId, TenantId, WireModel

WEBHOOK_TYPES: Final[dict[str, str]] = {
    "message.answered": "a reply answers one message or several",
    "message.dead": "a message could not be answered; a person has a ticket for it",
    "conversation.completed": "an episode is over: resolved, or silent for long enough",
    "conversation.escalated": "a conversation was handed to human agents",
    "conversation.taken_over": "a person took a conversation over",
    "conversation.handed_back": "a person handed a conversation back to the bot",
    "reply.delivered": "a reply has arrived, as far as its provider can tell",
    "reply.failed": "a reply did not arrive; a person has a ticket for it",
    "reply.bounced": "a reply came back from the customer's mail server",
    "ticket.created": "a ticket was made for human agents",
    "ticket.opened": "somebody read a ticket with its private values",
}
"""The types that every receiver can rely on, with what each tells; other events come under their own names."""

TEST_TYPE: Final = "webhook.test"
"""The type of what `fte webhooks test` sends."""


class WebhookData(BaseModel):
    """What happened, in ids and names: no text of a customer and no address."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    tenant: TenantId
    conversation: ConversationId | None = None
    sequence: int = Field(ge=0, description="1, 2, 3 … within the conversation: receivers order by it")
    attributes: dict[str, Any] = Field(default_factory=dict, description="what belongs to the type")


class Webhook(WireModel):
    """The body of one webhook; its id is in the header `webhook-id`, the same at each attempt."""

    type: AnyEventName
    timestamp: AwareDatetime = Field(description="when it happened")
    data: WebhookData
