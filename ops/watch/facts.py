"""Read facts of a whole deployment from PostgreSQL and Redis; nothing is changed."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final, Literal

from runtime.database import EVERY_TENANT
from runtime.encoding import parse_json
from schema.ids import ConversationKey
from schema.keys import VERIFIED_KEY, WORKERS_KEY, mailbox_keys, worker_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from redis.asyncio import Redis

    from runtime.database import Database

HEADS_MAX: Final = 2_000
"""Conversations, the longest waiting first, whose state is looked up in Redis; those behind them count as ready."""

_BATCH: Final = 200

HeadState = Literal["ready", "leased", "parked"]
"""Ready: a worker may take it; leased: one has it; parked: it is put off after a failure."""


@dataclass(frozen=True)
class WaitingConversation:
    """A conversation with unanswered messages."""

    tenant: str
    conversation: str
    messages: int
    seconds: float
    """Age of the oldest one."""
    state: HeadState
    due_in_seconds: float = 0.0
    """Until it may be taken up, of one that is parked."""


@dataclass(frozen=True)
class Waiting:
    """All that waits for an answer: totals, and the conversations that have waited longest."""

    messages: int
    conversations: int
    heads: Sequence[WaitingConversation]

    def oldest_seconds(self, state: HeadState) -> float:
        """Return for how long the oldest conversation of a state has waited; 0 without any."""
        return max((head.seconds for head in self.heads if head.state == state), default=0.0)

    def count(self, state: HeadState) -> int:
        """Return how many conversations are in a state; those that were not looked up are taken for ready."""
        found = sum(head.state == state for head in self.heads)
        return found + self.conversations - len(self.heads) if state == "ready" else found


async def read_waiting(
    database: Database, client: Redis, partitions: int, *, conversations_max: int = HEADS_MAX
) -> Waiting:
    """Read what waits: from PostgreSQL what and since when, from Redis whether a worker has it."""
    rows = await database.read(EVERY_TENANT, "find_waiting_heads", conversations_max=conversations_max)
    if not rows:
        return Waiting(0, 0, [])
    states = await _states_of(
        client, [ConversationKey(row["tenant_id"], row["conversation_id"]) for row in rows], partitions
    )
    heads = [
        WaitingConversation(row["tenant_id"], row["conversation_id"], row["messages"], row["seconds"], state, due)
        for row, (state, due) in zip(rows, states, strict=True)
    ]
    return Waiting(rows[0]["all_messages"], rows[0]["all_conversations"], heads)


async def _states_of(client: Redis, keys: list[ConversationKey], partitions: int) -> list[tuple[HeadState, float]]:
    states: list[tuple[HeadState, float]] = []
    for batch in _batches(keys):
        async with client.pipeline(transaction=False) as pipe:
            pipe.time()
            for key in batch:
                pipe.hmget(mailbox_keys(key, partitions).lease, ["until", "not_before"])
            (seconds, microseconds), *leases = await pipe.execute()
        now = seconds * 1_000 + microseconds / 1_000
        states += [_state(until, not_before, now) for until, not_before in leases]
    return states


def _batches(keys: list[ConversationKey]) -> Iterator[list[ConversationKey]]:
    remaining = iter(keys)
    while batch := list(islice(remaining, _BATCH)):
        yield batch


def _state(until: bytes | None, not_before: bytes | None, now: float) -> tuple[HeadState, float]:
    if until is not None and float(until) > now:
        return "leased", 0.0
    if not_before is not None and float(not_before) > now:
        return "parked", (float(not_before) - now) / 1_000
    return "ready", 0.0


@dataclass(frozen=True)
class WorkerSeen:
    """A worker as it last announced itself; `clock_ahead_seconds` is how far its clock is ahead of Redis's."""

    name: str
    host: str
    release: str
    migration: int
    model: str
    state: str
    is_leader: bool
    slots_used: int
    slots_waiting: int
    slots_total: int
    up_seconds: float
    silent_seconds: float
    clock_ahead_seconds: float
    metrics_port: int | None


async def read_workers(client: Redis) -> list[WorkerSeen]:
    """Return the workers that are there, by name; those whose announcement this release cannot read are left out."""
    async with client.pipeline(transaction=False) as pipe:
        pipe.time()
        pipe.zrange(WORKERS_KEY, 0, -1, withscores=True)
        (seconds, microseconds), members = await pipe.execute()
    now = seconds + microseconds / 1e6
    if not members:
        return []
    said = await client.mget([worker_key(name.decode()) for name, _ in members])
    found = []
    for (name, seen_ms), text in zip(members, said, strict=True):
        if text is not None:
            found.append(_worker(name.decode(), parse_json(text), seen_ms / 1_000, now))
    return sorted(found, key=lambda worker: (worker.host, worker.name))


def _worker(name: str, facts: dict[str, object], seen_at: float, now: float) -> WorkerSeen:
    def number(field: str) -> float:
        value = facts.get(field)
        return float(value) if isinstance(value, int | float) else 0.0

    port = facts.get("metrics_port")
    return WorkerSeen(
        name=name,
        host=str(facts.get("host", "")),
        release=str(facts.get("release", "")),
        migration=int(number("migration")),
        model=str(facts.get("model", "")),
        state=str(facts.get("state", "")),
        is_leader=bool(facts.get("is_leader")),
        slots_used=int(number("slots_used")),
        slots_waiting=int(number("slots_waiting")),
        slots_total=int(number("slots_total")),
        up_seconds=max(0.0, number("clock_at") - number("begun_at")),
        silent_seconds=max(0.0, now - seen_at),
        clock_ahead_seconds=number("clock_at") - seen_at,
        metrics_port=port if isinstance(port, int) else None,
    )


@dataclass(frozen=True)
class Verified:
    """When the deployment was last verified as a whole, and how many violations of each check were found."""

    seconds_ago: float
    violations: dict[str, int]


async def read_verified(client: Redis) -> Verified | None:
    """Return the outcome of the last `fte verify` of all tenants; None when Redis knows of none."""
    text = await client.get(VERIFIED_KEY)
    if text is None:
        return None
    seconds, _ = await client.time()
    facts = parse_json(text)
    return Verified(max(0.0, seconds - facts["at"]), facts["violations"])


@dataclass(frozen=True)
class Flow:
    """What came in and went out within the last `seconds`."""

    seconds: int
    accepted: int
    messages: int
    """Brought to their outcome."""
    turns: int
    replies: int
    tickets: int
    dead: int


async def read_flow(database: Database, seconds: int) -> Flow:
    """Read what came in and went out lately."""
    row = (await database.read(EVERY_TENANT, "sum_flow", seconds=seconds))[0]
    return Flow(seconds=seconds, **row)
