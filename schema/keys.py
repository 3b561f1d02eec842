"""Names of all Redis keys. Keys of one conversation share a hash tag, so each script is atomic on Redis Cluster too.

| key | type | meaning |
| --- | --- | --- |
| `fte:{pNN}:mailbox:<tenant>:<conversation>` | list | envelopes, oldest first |
| `fte:{pNN}:lease:<tenant>:<conversation>` | hash | `token` and `until` (ms, Redis TIME) of who drains it now |
| `fte:{pNN}:attempts:<tenant>:<conversation>` | hash | first 64 bytes of the head → attempts, counted before they run |
| `fte:{pNN}:agenda` | zset | `tenant:conversation` → when (ms) somebody must look at it next |
| `fte:rate:{<model>}` | hash | what is left of the provider's limits a minute, for all processes; expires |
| `fte:{workers}:seen` | zset | name of a worker → when (ms, Redis TIME) it last announced itself |
| `fte:{workers}:is:<name>` | string | what the worker says of itself, as JSON; expires |
| `fte:{workers}:told:<name>` | string | what operators order of it: `pause` or `drain`; expires |
| `fte:verified` | string | when `fte verify` last looked at every tenant, and what it found, as JSON |
| `fte:noting` | string | whether a worker noted lately what consumers have collected; expires |
| `fte:limit:{<tenant>}:<limit>:<key>` | string | when a limit of the gateway is whole again (µs, Redis TIME) |
| `fte:open:{<tenant>}:<key>` | zset | open streams of an API key, or of all (`*`) → until when (ms) they count |
| `fte:out:{<tenant>}:replies:<channel>` | stream | replies |
| `fte:out:{<tenant>}:escalations` | stream | escalations |
| `fte:out:{<tenant>}:events` | stream | events |
| `<any of the three>:again:<group>` | stream | what was cut from that stream before this group had collected it |
| `<any of the three>:cursors` | zset | group of an HTTP reader → when (ms, to the hour) it last read that stream |
| `fte:out:{<tenant>}:published:<conversation>` | string | ordinal of the last outbox row published; expires |
| `fte:out:{<tenant>}:hold:<conversation>` | string | a takeover's token, and the ordinal it holds up to; expires |
| `fte:out:{<tenant>}:life` | string | the epoch the tenant's streams are in, and the run of the server; or `checking` |
| `fte:out:{<tenant>}:restoring` | string | who restores the tenant's streams now; expires |
"""

from __future__ import annotations

import zlib
from typing import NamedTuple

from schema.ids import ConversationKey

ASIDE_ID = "9000000000000-0"
"""Position of a group that is set aside: behind every entry that will ever be added to the stream."""

NOTING_KEY = "fte:noting"
"""Limits how often workers record what consumers have collected."""


WORKERS_KEY = "fte:{workers}:seen"
"""Names the workers that are there, with when each last announced itself."""

VERIFIED_KEY = "fte:verified"
"""Holds when the deployment was last verified, and what was found."""


class EntryId(NamedTuple):
    """Id of a stream's entry, in parts that sort as Redis sorts ids: as text, 10-0 would come before 9-0."""

    milliseconds: int
    """Redis's clock when the entry was added."""
    number: int
    """Number of the entry within its millisecond, from 0."""


def parse_entry_id(entry_id: str) -> EntryId:
    """Parse an entry id such as `1769860800000-3`; raises ValueError for text of another form."""
    milliseconds, _, number = entry_id.partition("-")
    return EntryId(int(milliseconds), int(number))


class MailboxKeys(NamedTuple):
    """The four keys of one mailbox, in the order in which the mailbox scripts take them."""

    mailbox: str
    lease: str
    attempts: str
    agenda: str


def partition_of(key: ConversationKey, partitions: int) -> int:
    """Return the partition of a conversation, one of `partitions`; every process must use the same number of them."""
    return zlib.crc32(str(key).encode()) % partitions


def mailbox_keys(key: ConversationKey, partitions: int) -> MailboxKeys:
    """Return the keys of one conversation's mailbox."""
    tag = f"fte:{{p{partition_of(key, partitions):02d}}}"
    return MailboxKeys(f"{tag}:mailbox:{key}", f"{tag}:lease:{key}", f"{tag}:attempts:{key}", f"{tag}:agenda")


def agenda_key(partition: int) -> str:
    """Return the key of one partition's agenda."""
    return f"fte:{{p{partition:02d}}}:agenda"


def worker_key(name: str) -> str:
    """Return the key of what a worker says of itself."""
    return f"fte:{{workers}}:is:{name}"


def worker_order_key(name: str) -> str:
    """Return the key of what operators order of a worker."""
    return f"fte:{{workers}}:told:{name}"


def rate_key(model: str) -> str:
    """Return the key that counts a model's requests and tokens."""
    return f"fte:rate:{{{model}}}"


def replies_stream(tenant: str, channel: str) -> str:
    """Return the name of the stream of a tenant's replies on one channel."""
    return f"fte:out:{{{tenant}}}:replies:{channel}"


def escalations_stream(tenant: str) -> str:
    """Return the name of the stream of a tenant's escalations."""
    return f"fte:out:{{{tenant}}}:escalations"


def events_stream(tenant: str) -> str:
    """Return the name of the stream of a tenant's events."""
    return f"fte:out:{{{tenant}}}:events"


def again_stream(stream: str, group: str) -> str:
    """Return the name of the stream that holds what was cut from another before this group had collected it."""
    return f"{stream}:again:{group}"


def cursors_key(stream: str) -> str:
    """Return the key that holds when each cursor of HTTP readers last read a stream."""
    return f"{stream}:cursors"


def published_key(key: ConversationKey) -> str:
    """Return the key of a conversation's last published ordinal; in the slot of its tenant's streams."""
    return f"fte:out:{{{key.tenant}}}:published:{key.conversation}"


def hold_key(key: ConversationKey) -> str:
    """Return the key by which a takeover holds a conversation's outbox back; in the slot of its tenant's streams."""
    return f"fte:out:{{{key.tenant}}}:hold:{key.conversation}"


def epoch_key(tenant: str) -> str:
    """Return the key of a tenant's stream epoch: it is absent when Redis lost the streams; workers alone write it."""
    return f"fte:out:{{{tenant}}}:life"


def restoring_key(tenant: str) -> str:
    """Return the key that names the worker restoring a tenant's streams."""
    return f"fte:out:{{{tenant}}}:restoring"


def allowance_key(tenant: str, limit: str, holder: str) -> str:
    """Return the key of one limit of the HTTP gateway; `holder` is an API key's id, or `*` for the whole tenant."""
    return f"fte:limit:{{{tenant}}}:{limit}:{holder}"


def open_streams_key(tenant: str, holder: str) -> str:
    """Return the key of the streams that an API key, or with `*` the whole tenant, holds open at the HTTP gateway."""
    return f"fte:open:{{{tenant}}}:{holder}"


CURSOR_PREFIX = "http."
"""How the groups of HTTP readers begin, whatever else a stream's groups are called."""


def cursor_group(key_id: str, cursor: str | None) -> str:
    """Return the group that holds a reader's place in a stream: a named cursor's, which the keys of a tenant share.

    Without a name it is the key's own; no name holds a dot, so none is another key's.
    """
    return f"{CURSOR_PREFIX}{cursor}" if cursor is not None else f"{CURSOR_PREFIX}key.{key_id}"
