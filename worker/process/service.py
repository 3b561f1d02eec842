"""Compose a worker: the one place that names its concrete parts, starts them and stops them."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import structlog
from openai import AsyncOpenAI
from redis.asyncio import Redis
from redis.exceptions import RedisError

from runtime.cancelling import cancel_and_wait
from runtime.configuration import open_sealer
from runtime.connecting import open_servers
from runtime.database import Database
from runtime.failpoints import Failpoint, no_failpoint
from runtime.leadership import Leadership
from runtime.loops import Loops
from runtime.outage import Outages
from runtime.redis import Scripts
from runtime.redis_rights import check_rights
from runtime.sealing import Sealer
from runtime.sender_keys import SenderKeys
from runtime.startup import check_deployment
from runtime.switches import Switches
from runtime.telemetry.metrics_endpoint import serve_metrics
from runtime.telemetry.process_metrics import lag_loop, watch_connections, watch_loops, watch_servers
from runtime.telemetry.tracing import Losses, Tracer
from runtime.telemetry.tracing_otlp import OtlpSpans
from runtime.telemetry.tracing_table import PostgresSpans
from schema.settings import Settings
from schema.settings.knowledge import KnowledgeSettings
from schema.settings.process import WatchSettings
from schema.settings.telemetry import TraceSettings
from worker.agents.pool import GraphPool
from worker.conversation.run_spans import configure_tracing
from worker.domains.airline.domain import AIRLINE
from worker.guardrails.inputs import input_guardrails
from worker.journal.tool_store import ToolStore
from worker.journal.writer import JournalWriter
from worker.mailbox.heartbeat import Heartbeat
from worker.mailbox.mailbox import Mailbox
from worker.measures.metrics import (
    CIRCUIT_OPEN,
    LEADER,
    SILENCES,
    SLOTS_TOTAL,
    SLOTS_USED,
    SLOTS_WAITING,
    SPANS_DROPPED,
    WorkerMetrics,
)
from worker.models.circuits import Circuits
from worker.models.client import make_client
from worker.models.embeddings import build_embedder
from worker.models.ledger import Ledger
from worker.models.provider import build_model_provider
from worker.models.startup import report_problem
from worker.models.throttle import Throttle
from worker.outbound.aside import Aside
from worker.outbound.publisher import Publisher
from worker.outbound.streams import Streams
from worker.outbound.trimming import Trimmer
from worker.pipeline.act import Brain
from worker.pipeline.commit import Committer
from worker.pipeline.damaged_entries import DamagedEntries
from worker.pipeline.turn import Turn
from worker.process.drain import Drainer, Ring
from worker.process.presence import Presence
from worker.process.rescue import Rescue
from worker.process.warmup import warm_up
from worker.process.watchdog import Watchdog
from worker.store.episodes import Episodes
from worker.store.expiry import Expiry
from worker.store.guesses import PostgresGuesses
from worker.store.knowledge import PostgresKnowledge
from worker.store.silence import Silence
from worker.store.spending import spending_reader
from worker.tools.documentation import Documentation
from worker.tools.knowledge import hosted_search

DOCUMENTATION_SECONDS_MAX = 3.0
"""How long a starting worker waits for its documentation servers."""

_log = structlog.get_logger("fte.worker")


@dataclass(frozen=True)
class Servers:
    """A worker's connections to its servers, and the loops that look after them."""

    database: Database
    redis: Redis
    sealer: Sealer
    loops: Loops
    senders: SenderKeys


@dataclass
class WorkerService:
    """Parts of a running worker; lives on one event loop."""

    settings: WatchSettings
    servers: Servers
    drainer: Drainer
    heartbeat: Heartbeat
    publisher: Publisher
    streams: Streams
    rescue: Rescue
    watchdog: Watchdog
    brain: Brain
    tracer: Tracer
    metrics: WorkerMetrics
    presence: Presence
    resources: AsyncExitStack = field(default_factory=AsyncExitStack)
    """What is closed last; the servers at the very end."""
    _giving_back: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start the loops that run beside the drains."""
        parts = [self.heartbeat.loop(), self.publisher.loop(), self.tracer.loop(), self.watchdog.loop()]
        parts += [lag_loop(self.metrics), self.presence.loop()]
        parts.append(self.brain.switches.loop(self.servers.loops.outages.postgresql))
        self.servers.loops.start([*parts, *self.rescue.loops()])

    def begin_stop(self) -> None:
        """Take no more messages; after `stop_seconds_max` give back what is still under way."""
        if not self.drainer.stopping.is_set():
            self.drainer.stop()
            _log.info("worker.stopping", turns=len(self.heartbeat.tasks()))
            self._giving_back = asyncio.create_task(self._give_back_late(), name="give back")

    async def _give_back_late(self) -> None:
        await asyncio.sleep(self.settings.stop_seconds_max)
        self._give_back()

    def _give_back(self) -> None:
        for task in self.heartbeat.tasks():
            task.cancel()  # once: a second cancellation would cut off the giving back

    async def close(self, *, at_once: bool = False) -> None:
        """Finish what is under way, or give it back `at_once`; note what was published, close every connection."""
        self.begin_stop()
        giving_back = self._giving_back
        if at_once and giving_back is not None and not giving_back.done():
            giving_back.cancel()
            self._give_back()
        await self.drainer.finish()
        if giving_back is not None:
            await cancel_and_wait(giving_back)
        await self.servers.loops.stop()
        await self.rescue.leadership.resign()
        with suppress(RedisError, OSError):  # it is forgotten soon
            await self.presence.withdraw()
        with suppress(Exception):  # servers may be gone by now; rescue publishes again what is not noted
            await self.publisher.note()
        await self.tracer.close()
        await self.resources.aclose()


async def open_service(settings: Settings, ring: Ring, *, failpoint: Failpoint = no_failpoint) -> WorkerService:
    """Connect, check that this process fits its servers, and put the parts together; what fails leaves nothing open.

    Raises ServerUnreachable, SchemaOutdated or InvalidSettings before any work starts.
    """
    configure_tracing(settings)
    sealer = open_sealer(settings)
    async with AsyncExitStack() as opened:
        database, redis = await open_servers(settings, opened)
        await check_rights(redis, settings)
        senders = await check_deployment(database, sealer)
        loops = Loops(Outages(settings))
        opened.push_async_callback(loops.stop)
        servers = Servers(database, redis, sealer, loops, senders)
        metrics = WorkerMetrics(tenants_max=settings.metrics_tenants_max)
        brain = await _open_brain(settings, servers, metrics, opened)
        await warm_up(brain)
        checking = asyncio.create_task(report_problem(settings), name="check the model")
        opened.push_async_callback(cancel_and_wait, checking)
        service = compose(settings, servers, brain, ring, failpoint=failpoint, metrics=metrics)
        if settings.metrics_listen:
            endpoint = serve_metrics(metrics.registry, settings.metrics_listen)
            opened.callback(endpoint.close)
            service.presence.metrics_port = endpoint.port
        with suppress(RedisError, OSError):  # its loop does it again
            await service.presence.announce()
        service.resources = opened.pop_all()
    return service


async def _open_brain(settings: Settings, servers: Servers, metrics: WorkerMetrics, opened: AsyncExitStack) -> Brain:
    client = make_client(settings)
    switches = Switches(servers.database)
    await switches.refresh()
    ledger = Ledger(settings.tenant_usd_per_day_max, spending_reader(servers.database))
    make_throttle = partial(Throttle, Scripts(servers.redis).throttle)
    provider = build_model_provider(
        settings,
        client,
        local=AIRLINE.local_model,
        ledger=ledger,
        make_throttle=make_throttle,
        metrics=metrics,
        switches=switches,
    )
    metrics.read(CIRCUIT_OPEN, provider.circuits)
    opened.push_async_callback(provider.aclose)
    return Brain(
        graphs=await _open_graphs(settings, servers.loops),
        provider=provider,
        guardrails=input_guardrails(settings),
        backend=AIRLINE.open_backend(servers.database),
        knowledge=await _open_knowledge(settings, servers.database, client, switches, opened),
        guesses=PostgresGuesses(servers.database, servers.senders, settings),
        settings=settings,
        domain=AIRLINE,
        ledger=ledger,
        switches=switches,
    )


async def _open_graphs(settings: KnowledgeSettings, loops: Loops) -> GraphPool[Any]:
    """Connect the documentation servers; the graphs are built with the tools of those that are there."""

    def build() -> Any:
        return AIRLINE.build_graph(documentation=[*hosted_search(settings.vector_store_ids), *documentation.tools])

    graphs = GraphPool(build)
    documentation = Documentation(settings.mcp_servers, graphs.renew, loops)
    await documentation.open(DOCUMENTATION_SECONDS_MAX)
    return graphs


async def _open_knowledge(
    settings: Settings,
    database: Database,
    client: AsyncOpenAI | None,
    switches: Switches,
    resources: AsyncExitStack,
) -> PostgresKnowledge:
    circuits = Circuits(settings.embedding_model or "", settings)
    embedder = build_embedder(settings, client, circuits=circuits)
    if embedder is not None:
        resources.push_async_callback(embedder.aclose)
    knowledge = PostgresKnowledge(database, embedder, settings.embedding_similarity_min, switches)
    if settings.model != "stub":  # which looks nothing up
        await knowledge.prepare()
    return knowledge


def compose(
    settings: Settings,
    servers: Servers,
    brain: Brain,
    ring: Ring,
    *,
    failpoint: Failpoint = no_failpoint,
    metrics: WorkerMetrics | None = None,
) -> WorkerService:
    """Put a worker together around servers and a brain."""
    metrics = metrics or WorkerMetrics(tenants_max=settings.metrics_tenants_max)
    scripts = Scripts(servers.redis)
    mailbox = Mailbox(servers.redis, scripts, settings)
    streams = Streams(servers.redis, scripts, servers.database, settings)
    publisher = Publisher(servers.database, scripts, servers.sealer, streams, settings=settings)
    heartbeat = Heartbeat(mailbox, servers.loops.outages, settings.renew_seconds)
    tracer = open_tracer(settings, servers.database)
    turn = _make_turn(
        settings,
        servers,
        brain,
        mailbox=mailbox,
        publisher=publisher,
        tracer=tracer,
        failpoint=failpoint,
        metrics=metrics,
    )
    drainer = Drainer(settings, mailbox, heartbeat, turn, ring, failpoint, metrics, brain.switches)
    rescue = _make_rescue(settings, servers, drainer, scripts=scripts, streams=streams, publisher=publisher)
    service = WorkerService(
        settings=settings,
        servers=servers,
        drainer=drainer,
        heartbeat=heartbeat,
        publisher=publisher,
        streams=streams,
        rescue=rescue,
        watchdog=Watchdog(settings, mailbox, drainer, rescue.sweep),
        brain=brain,
        tracer=tracer,
        metrics=metrics,
        presence=Presence(scripts, drainer, rescue.leadership, servers.loops.outages.redis, settings.model),
    )
    _measure(service)
    return service


def _make_rescue(
    settings: Settings,
    servers: Servers,
    drainer: Drainer,
    *,
    scripts: Scripts,
    streams: Streams,
    publisher: Publisher,
) -> Rescue:
    aside = Aside(scripts, servers.database, servers.sealer)
    return Rescue(
        settings=settings,
        mailbox=drainer.mailbox,
        database=servers.database,
        streams=streams,
        publisher=publisher,
        drainer=drainer,
        outages=servers.loops.outages,
        trimmer=Trimmer(servers.redis, scripts, servers.database, aside, settings),
        leadership=Leadership(servers.database),
        aside=aside,
        episodes=Episodes(servers.database, settings),
        expiry=Expiry(servers.redis, servers.database, settings),
        silence=Silence(servers.database, servers.sealer),
        failpoint=drainer.failpoint,
        metrics=drainer.metrics,
    )


def _measure(service: WorkerService) -> None:
    """Have the metrics read what the worker's parts are doing."""
    metrics, slots = service.metrics, service.drainer.slots
    watch_loops(metrics, service.servers.loops)
    watch_servers(metrics, service.servers.loops.outages)
    watch_connections(metrics, service.servers.database)
    metrics.read(SLOTS_USED, lambda: slots.under_way)
    metrics.read(SLOTS_TOTAL, lambda: service.drainer.settings.concurrency)
    metrics.read(SLOTS_WAITING, lambda: slots.waiting)
    metrics.read(LEADER, lambda: float(service.rescue.leadership.is_held()))
    metrics.read(SILENCES, lambda: service.watchdog.silences)
    losses = service.tracer.losses.total
    metrics.read(SPANS_DROPPED, lambda: {(where,): count for where, count in list(losses.items())})


def _make_turn(
    settings: Settings,
    servers: Servers,
    brain: Brain,
    *,
    mailbox: Mailbox,
    publisher: Publisher,
    tracer: Tracer,
    failpoint: Failpoint,
    metrics: WorkerMetrics,
) -> Turn:
    return Turn(
        settings=settings,
        database=servers.database,
        sealer=servers.sealer,
        senders=servers.senders,
        damaged=DamagedEntries(settings, servers.database, servers.sealer, mailbox),
        publisher=publisher,
        committer=Committer(servers.database, servers.sealer, brain.domain, brain.backend, failpoint),
        journal=JournalWriter(servers.database),
        tools=ToolStore(servers.database),
        brain=brain,
        tracer=tracer,
        failpoint=failpoint,
        metrics=metrics,
    )


def open_tracer(settings: TraceSettings, database: Database) -> Tracer:
    """Create the tracer to PostgreSQL, and to OTLP as well where the settings say so; switched off it keeps nothing."""
    losses, waiting_max = Losses(), settings.spans_waiting_max
    if not settings.trace:
        return Tracer(None, None, losses, waiting_max=waiting_max)
    exporter = OtlpSpans(settings.otlp_endpoint, losses, waiting_max=waiting_max) if settings.otlp_endpoint else None
    return Tracer(PostgresSpans(database), exporter, losses, waiting_max=waiting_max)
