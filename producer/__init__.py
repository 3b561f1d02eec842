"""Public interface for gateways in Python: send customers' messages and collect the replies.

`Producer` sends, `Subscription` reads; the `Async…` classes do the same for asyncio. Everything else in this package
is internal. A name is loaded when it is first used, so that a process that only reads does not load what sends.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
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
        TenantSuspended,
        UnknownTenant,
    )
    from schema.keys import escalations_stream, events_stream, replies_stream
    from schema.messages.inbound import Inbound
    from schema.messages.receipt import Receipt

_STANDS_IN: Final = {
    "producer.collecting.entries": ("StreamEntry",),
    "producer.collecting.subscription": ("AsyncSubscription", "Subscription"),
    "producer.sending.client": ("AsyncProducer", "Producer"),
    "runtime.configuration": ("load_settings",),
    "schema.errors": (
        "FteError",
        "InvalidMessage",
        "InvalidSettings",
        "MailboxFull",
        "Overloaded",
        "SchemaOutdated",
        "ServerUnreachable",
        "TenantSuspended",
        "UnknownTenant",
    ),
    "schema.keys": ("escalations_stream", "events_stream", "replies_stream"),
    "schema.messages.inbound": ("Inbound",),
    "schema.messages.receipt": ("Receipt",),
}
_MODULES: Final = {name: module for module, names in _STANDS_IN.items() for name in names}

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
    "TenantSuspended",
    "UnknownTenant",
    "escalations_stream",
    "events_stream",
    "load_settings",
    "replies_stream",
]


def __getattr__(name: str) -> Any:
    """Load a public name from the module that defines it."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has {', '.join(__all__)}")
    return getattr(import_module(_MODULES[name]), name)
