"""Name every Redis key. All keys of a conversation share one hash tag, so each script is atomic on Redis Cluster too.

| key | type | meaning |
| --- | --- | --- |
| `fte:{pNN}:mailbox:<tenant>:<conversation>` | list | envelopes, oldest first |
| `fte:{pNN}:lease:<tenant>:<conversation>` | hash | `token` and `until` (ms, Redis TIME) of who drains it now |
| `fte:{pNN}:attempts:<tenant>:<conversation>` | hash | first 64 bytes of the head → attempts, counted before they run |
| `fte:{pNN}:agenda` | zset | `tenant:conversation` → when (ms) somebody must look at it next |
| `fte:rate:{<model>}` | hash | what is left of the provider's limits a minute, for all processes; expires |
| `fte:noting` | string | whether a worker noted lately what consumers have collected; expires |
| `fte:out:{<tenant>}:replies:<channel>` | stream | replies |
| `fte:out:{<tenant>}:escalations` | stream | escalations |
| `fte:out:{<tenant>}:events` | stream | events |
| `<any of the three>:again:<group>` | stream | what was cut from that stream before this group had collected it |
| `fte:out:{<tenant>}:published:<conversation>` | string | ordinal of the last outbox row published; expires |
| `fte:out:{<tenant>}:life` | string | the epoch the tenant's streams are in, and the run of the server; or `checking` |
| `fte:out:{<tenant>}:restoring` | string | who restores the tenant's streams now; expires |
"""

from __future__ import annotations

import zlib
from typing import NamedTuple

from schema.ids import ConversationKey

ASIDE_ID = "9000000000000-0"
"""Where a group stands in a stream while it collects what was cut from it elsewhere: behind all that ever comes."""

NOTING_KEY = "fte:noting"
"""Keeps workers from noting what is collected more often than is of use."""


class EntryId(NamedTuple):
    """The id of a stream's entry, in parts that sort as Redis sorts ids: text would put 9-0 behind 10-0."""

    milliseconds: int
    """Redis's clock when the entry was added."""
    number: int
    """Counts the entries of one millisecond, from 0."""


def parse_entry_id(entry_id: str) -> EntryId:
    """Take an entry id apart, `1769860800000-3`; raises ValueError when it is none."""
    milliseconds, _, number = entry_id.partition("-")
    return EntryId(int(milliseconds), int(number))


class MailboxKeys(NamedTuple):
    """Hold the four keys that the mailbox scripts work on, in the order in which they take them."""

    mailbox: str
    lease: str
    attempts: str
    agenda: str


def partition_of(key: ConversationKey, partitions: int) -> int:
    """Place a conversation on one of `partitions` partitions; every process must use the same number of them."""
    return zlib.crc32(str(key).encode()) % partitions


def mailbox_keys(key: ConversationKey, partitions: int) -> MailboxKeys:
    """Name the keys of one conversation's mailbox."""
    tag = f"fte:{{p{partition_of(key, partitions):02d}}}"
    return MailboxKeys(f"{tag}:mailbox:{key}", f"{tag}:lease:{key}", f"{tag}:attempts:{key}", f"{tag}:agenda")


def agenda_key(partition: int) -> str:
    """Name the agenda of one partition."""
    return f"fte:{{p{partition:02d}}}:agenda"


def rate_key(model: str) -> str:
    """Name the key that counts a model's requests and tokens."""
    return f"fte:rate:{{{model}}}"


def replies_stream(tenant: str, channel: str) -> str:
    """Name the stream of a tenant's replies on one channel."""
    return f"fte:out:{{{tenant}}}:replies:{channel}"


def escalations_stream(tenant: str) -> str:
    """Name the stream of a tenant's escalations."""
    return f"fte:out:{{{tenant}}}:escalations"


def events_stream(tenant: str) -> str:
    """Name the stream of a tenant's events."""
    return f"fte:out:{{{tenant}}}:events"


def again_stream(stream: str, group: str) -> str:
    """Name the stream from which one group of consumers collects what was cut from another before it had."""
    return f"{stream}:again:{group}"


def published_key(key: ConversationKey) -> str:
    """Name the key that remembers how far a conversation is published; in the slot of its tenant's streams."""
    return f"fte:out:{{{key.tenant}}}:published:{key.conversation}"


def epoch_key(tenant: str) -> str:
    """Name the key by whose absence it shows that Redis lost a tenant's streams; workers alone write it."""
    return f"fte:out:{{{tenant}}}:life"


def restoring_key(tenant: str) -> str:
    """Name the key that says who restores a tenant's streams now."""
    return f"fte:out:{{{tenant}}}:restoring"
