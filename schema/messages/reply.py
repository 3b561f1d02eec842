"""Reply: the answer that goes out to a customer."""

from __future__ import annotations

from pydantic import AwareDatetime, Field

from schema.channels import Channel
from schema.messages.wire import SENDER_CHARACTERS_MAX, ConversationId, IssueType, MessageId, TenantId, WireModel

REPLY_CHARACTERS_MAX = 40_000
IN_REPLY_TO_MAX = 100


class Reply(WireModel):
    """The answer to one or several messages, on its way to the customer's channel."""

    reply_id: str = Field(max_length=64)
    tenant: TenantId
    conversation: ConversationId
    sequence: int = Field(ge=1, description="1, 2, 3 … within the conversation")
    in_reply_to: list[MessageId] = Field(min_length=1, max_length=IN_REPLY_TO_MAX)
    channel: Channel
    recipient: str = Field(max_length=SENDER_CHARACTERS_MAX)
    text: str = Field(min_length=1, max_length=REPLY_CHARACTERS_MAX)
    agent: str = Field(max_length=64)
    issue_type: IssueType | None
    trace_id: str = Field(max_length=64)
    created_at: AwareDatetime
    by_person: bool = Field(
        default=False, description="whether the desk wrote it and not the bot: a person, `agent` by name, or a notice"
    )
