"""Turn the facts of a deployment into figures of its metrics, a group at a time."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from ops.watch import specs
from ops.watch.facts import read_verified, read_waiting, read_workers
from runtime.database import EVERY_TENANT
from runtime.switches import read_switches
from runtime.telemetry.metrics import BoundedLabel, Labels, MetricSpec
from schema.switches import SWITCH_KINDS

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from runtime.database import Database

Figures = Mapping[MetricSpec, float | Mapping[Labels, float]]

ENTRIES_MAX: Final = 10_000
"""Entries of one tenant that a group of consumers lacks, where counting stops."""

GROUPS_MAX: Final = 50
"""Groups of consumers that the metrics tell apart."""

STATEMENT_TIME: Final = "15s"
"""Time limit of a statement that reads whole tables."""


class Readings:
    """Reads each group of facts; raises what PostgreSQL and Redis raise, and changes nothing."""

    def __init__(self, database: Database, client: Redis, partitions: int) -> None:
        self._database = database
        self._client = client
        self._partitions = partitions
        self._groups = BoundedLabel(GROUPS_MAX)

    async def waiting(self) -> Figures:
        """Read what waits for an answer."""
        waiting = await read_waiting(self._database, self._client, self._partitions)
        return {
            specs.OLDEST_READY: waiting.oldest_seconds("ready"),
            specs.OLDEST_PARKED: waiting.oldest_seconds("parked"),
            specs.OLDEST_LEASED: waiting.oldest_seconds("leased"),
            specs.CONVERSATIONS: {
                ("ready",): waiting.count("ready"),
                ("leased",): waiting.count("leased"),
                ("parked",): waiting.count("parked"),
            },
            specs.WAITING: waiting.messages,
        }

    async def outbound(self) -> Figures:
        """Read what is committed and not published, and published and not collected."""
        unpublished = (await self._database.read(EVERY_TENANT, "sum_unpublished"))[0]
        rows = await self._database.read(EVERY_TENANT, "sum_uncollected", entries_max=ENTRIES_MAX)
        lag: dict[Labels, float] = defaultdict(float)
        oldest: dict[Labels, float] = defaultdict(float)
        for row in rows:
            kind = f"{row['kind']}:{row['channel']}" if row["channel"] else row["kind"]
            labels = (kind, self._groups.of(row["name"]))
            lag[labels] += row["entries"]
            oldest[labels] = max(oldest[labels], row["seconds"])
        return {
            specs.UNPUBLISHED: unpublished["unpublished"],
            specs.OLDEST_UNPUBLISHED: unpublished["seconds"],
            specs.STREAM_LAG: dict(lag),
            specs.OLDEST_UNCOLLECTED: dict(oldest),
        }

    async def deliveries(self) -> Figures:
        """Read what is due to be delivered."""
        rows = await self._database.read(EVERY_TENANT, "sum_due_deliveries")
        return {
            specs.DELIVERIES_DUE: {(row["channel"],): row["due"] for row in rows},
            specs.OLDEST_DELIVERY: {(row["channel"],): max(0.0, row["seconds"]) for row in rows},
        }

    async def accounts(self) -> Figures:
        """Count the accounts of channels that are stopped."""
        rows = await self._database.read(EVERY_TENANT, "count_stopped_accounts")
        return {specs.ACCOUNTS_STOPPED: {(row["channel"],): row["stopped"] for row in rows}}

    async def workers(self) -> Figures:
        """Read which workers are there."""
        states = Counter(worker.state for worker in await read_workers(self._client))
        return {specs.WORKERS: {(state,): states[state] for state in ("working", "paused", "stopping")}}

    async def switches(self) -> Figures:
        """Count what operators have switched off."""
        off = Counter(switch.kind for switch in await read_switches(self._database))
        return {specs.SWITCH_OFF: {(kind,): off[kind] for kind in SWITCH_KINDS}}

    async def verified(self) -> Figures:
        """Read what the last verification found; nothing when Redis knows of none."""
        verified = await read_verified(self._client)
        if verified is None:
            return {}
        return {
            specs.VERIFY_AGE: verified.seconds_ago,
            specs.VIOLATIONS: {(check,): count for check, count in verified.violations.items()},
        }

    async def servers(self) -> Figures:
        """Read how full the servers are."""
        state = (await self._database.read(EVERY_TENANT, "read_postgres_state"))[0]
        memory = await self._client.info("memory")
        figures: dict[MetricSpec, float | Mapping[Labels, float]] = {
            specs.CONNECTIONS_SHARE: state["connections"] / state["connections_max"]
        }
        if memory.get("maxmemory"):
            figures[specs.REDIS_MEMORY_SHARE] = memory["used_memory"] / memory["maxmemory"]
        return figures

    async def letters(self) -> Figures:
        """Count dead letters."""
        rows = await self._database.read(EVERY_TENANT, "count_letters")
        found = {row["state"]: row["letters"] for row in rows}
        states = ("kept", "redriven", "dropped")
        return {specs.DEAD_LETTERS_HELD: {(state,): found.get(state, 0) for state in states}}

    async def tickets(self) -> Figures:
        """Count open tickets."""
        rows = await self._database.read(EVERY_TENANT, "count_tickets")
        return {
            specs.TICKETS: {(row["category"], row["priority"]): row["tickets"] for row in rows},
            specs.OLDEST_OVERDUE: max((row["overdue_seconds"] for row in rows), default=0.0),
        }

    async def conservation(self) -> Figures:
        """Count whether every accepted message is accounted for: over whole tables."""
        async with self._database.transaction(EVERY_TENANT) as transaction:
            await transaction.run("set_statement_time", statement_time=STATEMENT_TIME)
            rows = await transaction.run("count_messages")
        gaps = [row["accepted"] - row["waiting"] - row["answered"] - row["dead"] - row["erased"] for row in rows]
        return {specs.CONSERVATION_GAP: sum(map(abs, gaps))}
