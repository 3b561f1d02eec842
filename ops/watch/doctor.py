"""Examine how a deployment is set up: versions, rights, durability, limits, clocks; and say how to mend what is not."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from redis.exceptions import RedisError

from ops.watch.facts import Verified, WorkerSeen, read_verified, read_workers
from runtime.database import EVERY_TENANT
from runtime.redis_rights import check_rights
from runtime.sentinels import PrimaryFinder
from runtime.server_addresses import first_line
from schema.errors import FteError
from schema.keys import agenda_key
from schema.redis_address import read_sentinel_url
from schema.resources import load_migrations

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from ops.watch.status import Watched
    from schema.settings import Settings

Verdict = Literal["well", "doubtful", "wrong"]
"""Doubtful: it works, and something may be lost or refused later. Wrong: it breaks a promise, or does not work."""

POSTGRESQL_VERSION_MIN: Final = 150_000
REDIS_VERSION_MIN: Final = (6, 2)
CLOCK_SECONDS_MAX: Final = 2.0
"""How far clocks may be apart: none decides anything alone, and logs are hard to read with more."""

CONNECTIONS_SHARE_MAX: Final = 0.85
MEMORY_SHARE_MAX: Final = 0.85
VERIFY_SECONDS_MAX: Final = 2 * 86_400.0
PARTITIONS_MAX: Final = 100
SENTINELS_MIN: Final = 3
"""With fewer, the death of one keeps the others from choosing another primary."""


@dataclass(frozen=True)
class Diagnosis:
    """One thing that was examined: what was found, and how to mend it where it is not well."""

    about: str
    verdict: Verdict
    found: str
    remedy: str = ""


async def examine(watched: Watched, settings: Settings, *, is_embedded: bool) -> list[Diagnosis]:
    """Examine everything that can be reached; what cannot is wrong itself. Changes nothing.

    `is_embedded`: the servers are those of `fte up`, of one machine.
    """
    diagnoses = diagnose_settings(settings, is_embedded=is_embedded)
    workers: list[WorkerSeen] = []
    state: dict[str, Any] | None = None
    if watched.database is None:
        diagnoses += [Diagnosis("PostgreSQL", "wrong", problem, "see the reason") for problem in watched.problems]
    else:
        state = (await watched.database.read(EVERY_TENANT, "read_postgres_state"))[0]
        diagnoses += diagnose_postgresql(state)
    try:
        workers = await read_workers(watched.client)
        about: dict[str, Any] = await watched.client.info()
        diagnoses += diagnose_redis(about)
        diagnoses += await _examine_sentinels(settings, about)
        diagnoses += await _examine_keys(watched.client, settings)
        seconds, microseconds = await watched.client.time()
        redis_clock = seconds + microseconds / 1e6
        postgresql_clock = state["clock_at"].timestamp() if state else None
        diagnoses += diagnose_clocks(time.time(), redis_clock, postgresql_clock, workers)
        diagnoses += diagnose_verification(await read_verified(watched.client))
        diagnoses += diagnose_workers(workers)
        if state is not None:
            diagnoses += diagnose_connections(state, workers, settings.database_connections_max)
    except (RedisError, OSError) as error:
        diagnoses.append(Diagnosis("Redis", "wrong", first_line(error), "start it, or change FTE_REDIS_URL"))
    return diagnoses


def diagnose_settings(settings: Settings, *, is_embedded: bool) -> list[Diagnosis]:
    """Judge settings that are allowed and unwise."""
    found = []
    if not settings.vault_keys and not is_embedded:
        what = f"FTE_VAULT_KEYS is not set, so the key lies in {settings.state_dir} and serves this machine alone"
        found.append(Diagnosis("settings", "doubtful", what, "set it to that key in every process, and keep a copy"))
    if settings.load_tests:
        what = "FTE_LOAD_TESTS=true lets senders hold slots for as long as they like"
        found.append(Diagnosis("settings", "doubtful", what, "unset it where customers write"))
    if not settings.metrics_listen:
        what = "FTE_METRICS_LISTEN is not set: processes with these settings serve no metrics"
        found.append(Diagnosis("settings", "doubtful", what, "set it to an address that only Prometheus reaches"))
    return found or [Diagnosis("settings", "well", "nothing unwise")]


def diagnose_postgresql(state: dict[str, Any]) -> list[Diagnosis]:
    """Judge the server's version, whether it writes, and whether what it has committed survives a crash."""
    about = "PostgreSQL"
    found = [Diagnosis(about, "well", f"version {state['version']}, migration {load_migrations()[-1].number} or newer")]
    if state["version_number"] < POSTGRESQL_VERSION_MIN:
        found[0] = Diagnosis(about, "wrong", f"version {state['version']}", "15 is the oldest that works")
    if state["is_replica"] or state["read_only"] == "on":
        found.append(Diagnosis(about, "wrong", "it takes no writes", "give FTE_DATABASE_URL the primary's address"))
    losing = [name for name in ("fsync", "full_page_writes") if state[name] == "off"]
    if losing:
        what = f"{' and '.join(losing)} off: a power failure may ruin the whole database"
        found.append(Diagnosis(about, "wrong", what, "switch on in postgresql.conf, and restart"))
    if state["synchronous_commit"] == "off":
        what = "synchronous_commit is off: a crash loses receipts that were given"
        found.append(Diagnosis(about, "wrong", what, _reload("synchronous_commit")))
    if state["autovacuum"] == "off":
        what = "autovacuum is off: tables grow and statements become slow"
        found.append(Diagnosis(about, "doubtful", what, _reload("autovacuum")))
    return found


def _reload(name: str) -> str:
    return f"ALTER SYSTEM SET {name} = on; SELECT pg_reload_conf()"


def diagnose_connections(
    state: dict[str, Any], workers: list[WorkerSeen], connections_max_of_each: int
) -> list[Diagnosis]:
    """Judge whether the pools of the workers that are there fit into what the server allows."""
    allowed, taken = state["connections_max"], state["connections"]
    wanted = len(workers) * connections_max_of_each + 1  # the one that repairs for all has one more
    what = f"{taken} of {allowed} connections are taken; {len(workers)} workers may want {wanted}"
    remedy = "lower FTE_DATABASE_CONNECTIONS_MAX, raise max_connections, or put a pooler before it (docs/tenants.md)"
    if wanted > allowed:
        return [Diagnosis("connections", "wrong", what, remedy)]
    is_tight = max(wanted, taken) > CONNECTIONS_SHARE_MAX * allowed
    return [Diagnosis("connections", "doubtful" if is_tight else "well", what, remedy if is_tight else "")]


def diagnose_redis(about: dict[str, Any]) -> list[Diagnosis]:
    """Judge the server's version, what it keeps, what it throws away, and whether it can write to its disk."""
    version = tuple(int(part) for part in str(about["redis_version"]).split(".")[:2])
    is_new = version >= REDIS_VERSION_MIN
    found = [
        Diagnosis("Redis", "well" if is_new else "wrong", f"version {about['redis_version']}", "6.2 is the oldest")
    ]
    if about.get("role") != "master":
        found.append(Diagnosis("Redis", "wrong", "it is a replica", "give FTE_REDIS_URL the primary's address"))
    if about.get("cluster_enabled"):
        what = "it is a cluster, which doorbells cannot use"
        found.append(Diagnosis("Redis", "wrong", what, "use one primary, with replicas"))
    policy = about.get("maxmemory_policy", "unknown")
    if policy != "noeviction":
        what = f"maxmemory-policy is {policy}: it throws mailboxes away when it is full"
        found.append(Diagnosis("Redis", "wrong", what, "CONFIG SET maxmemory-policy noeviction, and in redis.conf"))
    if not about.get("aof_enabled"):
        what = "appendonly is off: a restart empties mailboxes and streams, which are then rebuilt from PostgreSQL"
        found.append(Diagnosis("Redis", "doubtful", what, "CONFIG SET appendonly yes, and in redis.conf"))
    for name, what in (("aof_last_write_status", "append-only file"), ("rdb_last_bgsave_status", "snapshot")):
        if about.get(name, "ok") != "ok":
            told = f"its last write to the {what} failed"
            found.append(Diagnosis("Redis", "wrong", told, "see its log: mostly the disk is full"))
    limit, used = about.get("maxmemory", 0), about["used_memory"]
    if limit and used > MEMORY_SHARE_MAX * limit:
        what = f"{used / limit:.0%} of its memory is used; it refuses to write when it is full"
        found.append(Diagnosis("Redis", "wrong", what, "give it more; see which group of consumers lags (fte status)"))
    return found


async def _examine_sentinels(settings: Settings, about: dict[str, Any]) -> list[Diagnosis]:
    address = read_sentinel_url(settings.redis_url or "")
    if address is None:
        return []
    told = await PrimaryFinder(address).ask_each()
    return diagnose_sentinels(told, about.get("connected_slaves", 0))


def diagnose_sentinels(told: Sequence[tuple[str, int] | str], replicas: int) -> list[Diagnosis]:
    """Judge what the Sentinels say of the primary (its place, or why they do not know it), and who could replace it."""
    places = [each for each in told if not isinstance(each, str)]
    agree = max((places.count(place) for place in places), default=0)
    what = f"{agree} of {len(told)} Sentinels agree on the primary; it has {replicas} replicas"
    found = []
    if 2 * agree <= len(told):
        reasons = "; ".join(dict.fromkeys(each for each in told if isinstance(each, str))) or "they differ"
        found.append(Diagnosis("Sentinels", "wrong", f"{what} ({reasons})", "no failover can take place: start them"))
    elif agree < len(told) or len(told) < SENTINELS_MIN:
        remedy = f"name all in FTE_REDIS_URL, at least {SENTINELS_MIN}, and start those that are away"
        found.append(Diagnosis("Sentinels", "doubtful", what, remedy))
    if not replicas:
        found.append(Diagnosis("Sentinels", "wrong", "the primary has no replica to take its place", "start one"))
    return found or [Diagnosis("Sentinels", "well", what)]


async def _examine_keys(client: Redis, settings: Settings) -> list[Diagnosis]:
    """Judge the user's rights, and whether some process counts partitions otherwise."""
    found = []
    try:
        await check_rights(client, settings)
        found.append(Diagnosis("Redis rights", "well", "all that a worker needs"))
    except FteError as error:
        found.append(Diagnosis("Redis rights", "wrong", str(error), "docs/redis-users.acl has the rights of each user"))
    async with client.pipeline(transaction=False) as pipe:
        for partition in range(settings.partitions, PARTITIONS_MAX):
            pipe.exists(agenda_key(partition))
        beyond = sum(await pipe.execute())
    if beyond:
        what = f"{beyond} agendas lie beyond FTE_PARTITIONS={settings.partitions}: some process has more of them"
        found.append(Diagnosis("partitions", "wrong", what, "give every process the same FTE_PARTITIONS"))
    return found


def diagnose_clocks(
    here: float, redis: float, postgresql: float | None, workers: Iterable[WorkerSeen]
) -> list[Diagnosis]:
    """Judge how far clocks are from that of Redis, in seconds: this machine's, PostgreSQL's, the workers'."""
    ahead = {"this machine": here - redis, **{worker.name: worker.clock_ahead_seconds for worker in workers}}
    if postgresql is not None:
        ahead["PostgreSQL"] = postgresql - redis
    wrong = {name: seconds for name, seconds in ahead.items() if abs(seconds) > CLOCK_SECONDS_MAX}
    if not wrong:
        return [Diagnosis("clocks", "well", f"within {CLOCK_SECONDS_MAX:g} s of each other")]
    told = ", ".join(f"{name} is {abs(by):.0f} s {'ahead' if by > 0 else 'behind'}" for name, by in wrong.items())
    return [Diagnosis("clocks", "doubtful", f"{told} of Redis", "let NTP set them all")]


def diagnose_workers(workers: list[WorkerSeen]) -> list[Diagnosis]:
    """Judge who is at work."""
    about = "workers"
    if not any(worker.state == "working" for worker in workers):
        what = f"{len(workers)} workers are there, and none takes up messages"
        return [Diagnosis(about, "wrong", what, "start fte worker, or fte workers resume --all")]
    found = [Diagnosis(about, "well", f"{len(workers)} are there")]
    paused = [worker.name for worker in workers if worker.state == "paused"]
    if paused:
        found.append(Diagnosis(about, "doubtful", f"{', '.join(paused)} paused", "fte workers resume NAME"))
    releases = sorted({f"{worker.release} ({worker.migration})" for worker in workers})
    if len(releases) > 1:
        what = f"of several releases: {', '.join(releases)}"
        found.append(Diagnosis(about, "doubtful", what, "finish the upgrade before the next one"))
    if sum(worker.is_leader for worker in workers) != 1:
        leaders = sum(worker.is_leader for worker in workers)
        found.append(Diagnosis(about, "doubtful", f"{leaders} repair for all, not 1", "look again in 20 s"))
    return found


def diagnose_verification(verified: Verified | None) -> list[Diagnosis]:
    """Judge when the deployment was last verified, and what was found."""
    about, remedy = "verification", "run fte verify once a day"
    if verified is None:
        return [Diagnosis(about, "doubtful", "nobody knows of one", remedy)]
    broken = {check: count for check, count in verified.violations.items() if count}
    if broken:
        told = ", ".join(f"{count} of {check}" for check, count in broken.items())
        return [Diagnosis(about, "wrong", f"violations: {told}", "run fte verify, and follow each way out")]
    hours = verified.seconds_ago / 3_600
    is_old = verified.seconds_ago > VERIFY_SECONDS_MAX
    return [Diagnosis(about, "doubtful" if is_old else "well", f"no violation {hours:.1f} hours ago", remedy * is_old)]
