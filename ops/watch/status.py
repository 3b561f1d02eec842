"""Read how a deployment is doing as a whole; what one server cannot tell is left out, and the rest is told."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, TypeVar

from redis.exceptions import RedisError

from ops.watch.facts import (
    Flow,
    HeadState,
    Verified,
    Waiting,
    WorkerSeen,
    read_flow,
    read_verified,
    read_waiting,
    read_workers,
)
from runtime.configuration import open_sealer
from runtime.database import EVERY_TENANT, Database
from runtime.outage import POSTGRESQL_AWAY
from runtime.redis import make_redis
from runtime.server_addresses import address_of, first_line
from runtime.startup import check_deployment
from runtime.switches import Switch, read_switches
from schema.errors import FteError

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from schema.settings.metrics import ExportSettings

FLOW_SECONDS: Final = 60
PART_SECONDS_MAX: Final = 10.0
"""How long one part of the status may take before it is left out."""

ENTRIES_MAX: Final = 10_000

Part = TypeVar("Part")

_AWAY: Final[tuple[type[Exception], ...]] = (*POSTGRESQL_AWAY, RedisError, OSError, TimeoutError, FteError)


@dataclass(frozen=True)
class ServerState:
    """One server: whether it answers and how fast, and a few of its figures."""

    name: str
    address: str
    answers_ms: float | None
    """None: it does not answer, for the reason in `problem`."""
    problem: str = ""
    about: str = ""


@dataclass(frozen=True)
class GroupLag:
    """What a group of consumers has not collected of a kind of stream."""

    kind: str
    group: str
    entries: int
    seconds: float


@dataclass(frozen=True)
class Unfinished:
    """What is not finished: unpublished, uncollected, dead, with people."""

    unpublished: int
    unpublished_seconds: float
    lags: list[GroupLag]
    dead_letters: int
    tickets: int
    overdue_seconds: float


@dataclass(frozen=True)
class Status:
    """A deployment at one moment; None: it could not be read, and `problems` says why."""

    servers: list[ServerState]
    waiting: Waiting | None
    flow: Flow | None
    backlog: Unfinished | None
    workers: list[WorkerSeen] | None
    verified: Verified | None
    problems: list[str] = field(default_factory=list)
    switches: list[Switch] | None = None
    """What operators have switched off."""


@dataclass(frozen=True)
class Watched:
    """The servers of a deployment, as far as they answer."""

    settings: ExportSettings
    database: Database | None
    client: Redis
    problems: list[str]


@asynccontextmanager
async def open_watched(settings: ExportSettings) -> AsyncIterator[Watched]:
    """Connect to both servers; one that does not answer, or does not fit, is a problem and no error."""
    async with AsyncExitStack() as opened:
        client = make_redis(settings)
        opened.push_async_callback(client.aclose)
        problems: list[str] = []
        database: Database | None = Database(settings)
        try:
            if database is not None:
                await database.open()
                opened.push_async_callback(database.close)
                await check_deployment(database, open_sealer(settings))
        except FteError as error:
            database = None
            problems.append(str(error))
        yield Watched(settings, database, client, problems)


def record_of(status: Status) -> dict[str, Any]:
    """Return a status for a program: of what waits the counts and the oldest of each state."""
    record = asdict(replace(status, waiting=None, switches=None))
    if status.switches is not None:
        record["switches"] = [switch.as_record() for switch in status.switches]
    waiting = status.waiting
    if waiting is not None:
        states: tuple[HeadState, ...] = ("ready", "leased", "parked")
        record["waiting"] = {
            "messages": waiting.messages,
            "conversations": waiting.conversations,
            **{state: waiting.count(state) for state in states},
            **{f"oldest_{state}_seconds": waiting.oldest_seconds(state) for state in states},
        }
    return record


async def read_status(watched: Watched) -> Status:
    """Read a deployment's status, all parts at once, each within PART_SECONDS_MAX."""
    problems = list(watched.problems)
    database, client, partitions = watched.database, watched.client, watched.settings.partitions

    async def part(name: str, reading: Awaitable[Part]) -> Part | None:
        try:
            async with asyncio.timeout(PART_SECONDS_MAX):
                return await reading
        except _AWAY as error:
            problems.append(f"{name} could not be read: {first_line(error) or type(error).__name__}")
            return None

    (servers, switches), waiting, flow, backlog, workers, verified = await asyncio.gather(
        asyncio.gather(  # gather knows the types of six
            _read_servers(watched),
            part("what is switched off", read_switches(database)) if database else _nothing(),
        ),
        part("what waits", read_waiting(database, client, partitions)) if database else _nothing(),
        part("what came and went", read_flow(database, FLOW_SECONDS)) if database else _nothing(),
        part("the backlog", _read_backlog(database)) if database else _nothing(),
        part("the workers", read_workers(client)),
        part("the last verification", read_verified(client)),
    )
    return Status(servers, waiting, flow, backlog, workers, verified, problems, switches)


async def _nothing() -> None:
    return None


async def _read_servers(watched: Watched) -> list[ServerState]:
    settings = watched.settings
    return [
        await _ask("PostgreSQL", address_of(settings.database_url or ""), _about_postgresql(watched.database)),
        await _ask("Redis", address_of(settings.redis_url or ""), _about_redis(watched.client)),
    ]


async def _ask(name: str, address: str, about: Awaitable[str]) -> ServerState:
    began = time.perf_counter()
    try:
        async with asyncio.timeout(PART_SECONDS_MAX):
            told = await about
    except _AWAY as error:
        return ServerState(name, address, None, problem=first_line(error) or type(error).__name__)
    return ServerState(name, address, round((time.perf_counter() - began) * 1_000, 1), about=told)


async def _about_postgresql(database: Database | None) -> str:
    if database is None:
        raise ConnectionError("see above")
    state = (await database.read(EVERY_TENANT, "read_postgres_state"))[0]
    return f"{state['version'].split()[0]}, {state['connections']} of {state['connections_max']} connections"


async def _about_redis(client: Redis) -> str:
    about = await client.info()
    return f"{about['redis_version']}, {about['used_memory_human']} used, {about['connected_clients']} clients"


async def _read_backlog(database: Database) -> Unfinished:
    unpublished = (await database.read(EVERY_TENANT, "sum_unpublished"))[0]
    lags = await database.read(EVERY_TENANT, "sum_uncollected", entries_max=ENTRIES_MAX)
    letters = await database.read(EVERY_TENANT, "count_letters")
    tickets = await database.read(EVERY_TENANT, "count_tickets")
    return Unfinished(
        unpublished=unpublished["unpublished"],
        unpublished_seconds=unpublished["seconds"],
        lags=[
            GroupLag(" ".join(filter(None, (row["kind"], row["channel"]))), row["name"], row["entries"], row["seconds"])
            for row in lags
        ],
        dead_letters=sum(row["letters"] for row in letters if row["state"] == "kept"),
        tickets=sum(row["tickets"] for row in tickets),
        overdue_seconds=max((row["overdue_seconds"] for row in tickets), default=0.0),
    )
