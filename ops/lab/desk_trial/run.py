"""Run a trial of the desk: servers, workers, desk processes and customers, while processes are killed at random."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, Final

from ops.desk.people import set_person
from ops.desk.roles import Who
from ops.lab.desk_trial.audit import TrialCounts, audit, read_records
from ops.standalone.standalone import run_everything, worker_environment
from ops.tenants.settings import change_settings
from ops.verify import Verification
from producer.sending.client import AsyncProducer
from runtime.cancelling import cancel_and_wait
from runtime.database import Database
from runtime.encoding import parse_json
from runtime.redis import make_redis
from schema.keys import replies_stream

if TYPE_CHECKING:
    from ops.standalone.standalone import Crew
    from schema.settings import Settings

TENANT: Final = "default"
GROUP: Final = "trial"
LEASE_MINUTES: Final = 0.1
SETTLE_SECONDS_MAX: Final = 240.0
"""How long everything may take to come to rest once nothing is killed any more."""

MESSAGES_PER_SECOND: Final = 3.0
"""Of all customers together, about."""

COLLECTS_SECONDS_MAX: Final = 3.0
"""Longest pause of the consumer: meanwhile replies stand in their stream, and a takeover may withdraw them."""

QUESTIONS: Final = (
    "How much is a second checked bag?",
    "May my small cat travel in the cabin?",
    "I am furious, get me a manager now!",
    "I want to speak to a human agent please",
    "Is anybody there?",
    "Thanks",
)


@dataclass(frozen=True)
class TrialOptions:
    """How large a trial is, and for how long people and customers are at it."""

    seconds: float
    agents: int
    customers: int
    workers: int = 2
    desks: int = 4
    kill_seconds: float = 3.0
    """Between two kills, on average."""
    seed: int = 1


class DeskTrial:
    """One trial on running servers."""

    def __init__(self, settings: Settings, crew: Crew, options: TrialOptions, folder: Path) -> None:
        self._settings = settings
        self._crew = crew
        self._options = options
        self._folder = folder
        self._random = Random(options.seed)  # noqa: S311 - a trial
        self._desks: dict[int, asyncio.subprocess.Process] = {}
        self._collected: list[dict[str, Any]] = []
        self._ended = asyncio.Event()
        self._unsettled: list[str] = []
        self.kills = 0
        self.sent = 0

    async def run(self) -> TrialCounts:
        """Let everybody at it for so long, come to rest, and audit."""
        options = self._options
        async with AsyncExitStack() as opened:
            database = Database(self._settings)
            await database.open()
            opened.push_async_callback(database.close)
            await self._prepare(database)
            collecting = asyncio.create_task(self._collect())
            opened.push_async_callback(cancel_and_wait, collecting)
            desks = [asyncio.create_task(self._keep_desk(number)) for number in range(options.desks)]
            async with AsyncProducer(self._settings) as producer:
                customers = [asyncio.create_task(self._write(producer, n)) for n in range(options.customers)]
                killing = asyncio.create_task(self._kill())
                await asyncio.sleep(options.seconds)
                self._ended.set()
                await cancel_and_wait(killing, *customers)
                await asyncio.gather(*desks)
                await self._settle(database)
            if collecting.done():
                collecting.result()
            return await self._judge(database)

    async def _prepare(self, database: Database) -> None:
        given = {"desk": {"lease_minutes": LEASE_MINUTES, "on_silence": ["remind"]}}
        await change_settings(database, TENANT, given, by="the trial", reason=None, version=0, deployment=None)
        for name in self._names:
            await set_person(database, TENANT, Who("trial", is_at_machine=True), person=name, role="agent")
        redis = make_redis(self._settings)
        await redis.xgroup_create(replies_stream(TENANT, "chat"), GROUP, id="0", mkstream=True)
        await redis.aclose()

    @property
    def _names(self) -> list[str]:
        return [f"agent-{number}" for number in range(self._options.agents)]

    async def _collect(self) -> None:
        """Collect as a gateway does, and note when each reply was given."""
        stream = replies_stream(TENANT, "chat")
        redis: Any
        async with make_redis(self._settings) as redis:
            while True:
                answer = await redis.xreadgroup(GROUP, "c", {stream: ">"}, count=10, block=200)
                at = time.time()
                for entry_id, fields in (entry for _, entries in answer or [] for entry in entries):
                    body = parse_json(fields[b"body"])
                    told = {name: body[name] for name in ("conversation", "sequence", "text")}
                    self._collected.append({"id": fields[b"id"].decode(), "at": at, **told})
                    await redis.xack(stream, GROUP, entry_id)
                await asyncio.sleep(self._random.uniform(0, COLLECTS_SECONDS_MAX))

    async def _write(self, producer: AsyncProducer, number: int) -> None:
        """Write as a customer, now and then, and not always one message at a time."""
        count = 0
        while True:
            await asyncio.sleep(self._random.uniform(0.5, 2) * self._options.customers / MESSAGES_PER_SECOND)
            for _ in range(self._random.choice((1, 1, 1, 2))):
                count += 1
                self.sent += 1
                await producer.send(
                    {
                        "message_id": f"trial-{number}-{count}",
                        "tenant": TENANT,
                        "conversation": f"trial-{number}",
                        "channel": "chat",
                        "sender": f"customer-{number}@example.com",
                        "text": self._random.choice(QUESTIONS),
                    }
                )

    async def _keep_desk(self, number: int) -> None:
        """Run one desk process, and start it again each time that it was killed."""
        options = self._options
        names = ",".join(self._names[number :: options.desks])
        life = 0
        while not self._ended.is_set():
            life += 1
            arguments = [TENANT, names, str(options.customers), f"{options.seed}{number}{life}"]
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",
                "-m",
                "ops.lab.desk_trial.agents",
                *arguments,
                str(self._folder / f"desk-{number}-{life}.jsonl"),
                env=worker_environment(self._settings),
            )
            self._desks[number] = process
            ended = asyncio.create_task(self._ended.wait())
            await asyncio.wait([asyncio.create_task(process.wait()), ended], return_when=asyncio.FIRST_COMPLETED)
            await cancel_and_wait(ended)
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _kill(self) -> None:
        """Kill a worker or a desk process at random times."""
        while True:
            await asyncio.sleep(self._random.uniform(0.5, 1.5) * self._options.kill_seconds)
            pids = [*self._crew.pids, *(desk.pid for desk in self._desks.values() if desk.returncode is None)]
            with suppress(ProcessLookupError):
                os.kill(self._random.choice(pids), signal.SIGKILL)
                self.kills += 1

    async def _settle(self, database: Database) -> None:
        """Wait until every message is taken up, and every reply is with its consumer or withdrawn."""
        deadline, row = time.monotonic() + SETTLE_SECONDS_MAX, None
        while time.monotonic() < deadline:
            async with database.transaction(TENANT) as transaction:
                cursor = await transaction.connection.execute(
                    "SELECT (SELECT count(*) FROM inbox WHERE state = 'accepted')"
                    " + (SELECT count(*) FROM outbox WHERE published_at IS NULL) AS left,"
                    " (SELECT count(*) FROM outbox WHERE kind = 'reply' AND withdrawn_at IS NULL) AS replies"
                )
                row = await cursor.fetchone()
            if row is not None and row["left"] == 0 and len(self._collected) >= row["replies"]:
                return
            await asyncio.sleep(0.2)
        self._unsettled.append(f"after {SETTLE_SECONDS_MAX:.0f} s not everything had come to rest: {row}")

    async def _judge(self, database: Database) -> TrialCounts:
        noted = [
            parse_json(line)
            for ledger in sorted(self._folder.glob("desk-*.jsonl"))
            for line in ledger.read_text(encoding="utf-8").splitlines()
            if line.endswith("}")  # a line that a kill cut short says nothing
        ]
        counts = audit(await read_records(database, TENANT, list(self._collected), noted))
        redis = make_redis(self._settings)
        findings = (await Verification(self._settings, database, redis).run()).findings
        await redis.aclose()
        counts.broken += self._unsettled
        counts.broken += [f"fte verify: {finding.check}: {finding.what}" for finding in findings]
        return counts


def run_trial(settings: Settings, options: TrialOptions, folder: Path) -> tuple[DeskTrial, TrialCounts]:
    """Run a trial on servers and workers of its own below a folder; return what happened."""
    apart = settings.model_copy(update={"state_dir": folder / "state", "model": "local"})
    with run_everything(apart, workers=options.workers, say=lambda _: None) as (running, crew):
        trial = DeskTrial(running, crew, options, folder)
        return trial, asyncio.run(trial.run())
