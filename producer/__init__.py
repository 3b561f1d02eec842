"""Hand customers' messages in and collect the answers: all that a gateway in Python needs.

`Producer` sends, `Subscription` reads; the `Async…` ones are the same for asyncio. Everything else in this package is
their inside.
"""

from producer.collecting.entries import StreamEntry
from producer.collecting.subscription import AsyncSubscription, Subscription
from producer.sending.client import AsyncProducer, Producer
from runtime.configuration import load_settings
from schema.errors import (
    FteError,
    InvalidMessage,
    InvalidSettings,
    MailboxFull,
    Overloaded,
    SchemaOutdated,
    ServerUnreachable,
    UnknownTenant,
)
from schema.keys import escalations_stream, events_stream, replies_stream
from schema.messages import Inbound, Receipt

__all__ = [
    "AsyncProducer",
    "AsyncSubscription",
    "FteError",
    "Inbound",
    "InvalidMessage",
    "InvalidSettings",
    "MailboxFull",
    "Overloaded",
    "Producer",
    "Receipt",
    "SchemaOutdated",
    "ServerUnreachable",
    "StreamEntry",
    "Subscription",
    "UnknownTenant",
    "escalations_stream",
    "events_stream",
    "load_settings",
    "replies_stream",
]
