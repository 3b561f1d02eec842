"""Envelope: a sealed inbound message at its position in a mailbox."""

from __future__ import annotations

from pydantic import Field

from schema.messages.wire import MessageId, WireModel

PAYLOAD_CHARACTERS_MAX = 400_000
"""Length of the longest sealed `Inbound`: 4/3 of its bytes, and 100 more."""


class Envelope(WireModel):
    """A sealed inbound message in a mailbox; the key to open it is not in Redis.

    `position` and `message_id` stand in every version: by them scripts find its place, and older readers the message.
    """

    position: int = Field(ge=1, description="1, 2, 3 … within the conversation, in the order accepted")
    message_id: MessageId
    payload: str = Field(max_length=PAYLOAD_CHARACTERS_MAX, description="an `Inbound` as JSON, sealed")


def encode_envelope(envelope: Envelope) -> str:
    """Encode an envelope as it stands in a mailbox: equal envelopes are equal text."""
    return envelope.model_dump_json()
