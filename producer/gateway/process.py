"""Run one gateway process: listen, serve, and stop without cutting anybody off."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from contextlib import asynccontextmanager, closing, nullcontext
from typing import TYPE_CHECKING

import structlog
import uvicorn
import uvloop

from producer.gateway.app import create_app
from producer.gateway.metrics import GATEWAY
from producer.gateway.protocol import GatewayProtocol
from runtime.failpoints import Failpoint, no_failpoint, read_failpoint
from runtime.garbage import settle_memory
from runtime.loops import Loops
from runtime.outage import Outages
from runtime.telemetry.metrics_endpoint import MetricsEndpoint, serve_metrics
from runtime.telemetry.process_metrics import lag_loop, watch_connections, watch_loops
from schema.errors import InvalidSettings
from schema.settings.listening import parse_listening

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from types import FrameType

    from fastapi import APIRouter, FastAPI

    from producer.gateway.parts import Parts
    from schema.settings.gateway import GatewaySettings

KEEP_ALIVE_SECONDS = 75
"""How long an idle connection is kept: longer than common load balancers keep theirs."""
BACKLOG = 2_048

_log = structlog.get_logger("fte.gateway")


def run_gateway(
    settings: GatewaySettings,
    *,
    routers: Sequence[APIRouter] = (),
    shares_port: bool = False,
    on_ready: Callable[[int], None] = lambda _: None,
) -> int:
    """Serve until SIGTERM or SIGINT; return the exit code. `on_ready` is given the port.

    `shares_port` lets several processes of one user listen on the port. Raises InvalidSettings for an address that
    cannot be had, and what `AsyncProducer` raises.
    """
    listening = _listen(settings, shares_port=shares_port)
    endpoint = _serve_metrics(settings)
    with closing(endpoint) if endpoint else nullcontext(), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve_until_signalled(settings, routers, listening, on_ready))
    return 0


def _serve_metrics(settings: GatewaySettings) -> MetricsEndpoint | None:
    if settings.gateway_metrics_listen:
        return serve_metrics(GATEWAY.registry, settings.gateway_metrics_listen, setting="FTE_GATEWAY_METRICS_LISTEN")
    return serve_metrics(GATEWAY.registry, settings.metrics_listen) if settings.metrics_listen else None


async def _serve_until_signalled(
    settings: GatewaySettings,
    routers: Sequence[APIRouter],
    listening: socket.socket,
    on_ready: Callable[[int], None],
) -> None:
    failpoint = read_failpoint(os.environ)
    async with serving(settings, listening, routers=routers, failpoint=failpoint) as server:
        port: int = listening.getsockname()[1]
        loops = _measure(settings, server)
        settle_memory()
        _log.info("gateway.ready", port=port)
        on_ready(port)
        await server.ended.wait()
        await loops.stop()
    _log.info("gateway.stopped")


def _measure(settings: GatewaySettings, server: GatewayServer) -> Loops:
    """Have the metrics read what the process is doing."""
    watch_connections(GATEWAY, server.parts.database)
    loops = Loops(Outages(settings))
    loops.start([lag_loop(GATEWAY)])
    watch_loops(GATEWAY, loops)
    return loops


class GatewayServer(uvicorn.Server):
    """Ends streams when the process is told to stop; uvicorn would wait for them."""

    def __init__(self, config: uvicorn.Config, parts: Parts) -> None:
        super().__init__(config)
        self.parts = parts
        self.ended = asyncio.Event()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - uvicorn's signature
        """Begin to stop, at a signal; uvicorn's own would die of it once more after it has stopped."""
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.begin_stop()

    def begin_stop(self) -> None:
        """Take no more connections, end streams, and finish the requests under way."""
        self.parts.stopping.set()
        self.should_exit = True


@asynccontextmanager
async def serving(
    settings: GatewaySettings,
    listening: socket.socket,
    *,
    routers: Sequence[APIRouter] = (),
    failpoint: Failpoint = no_failpoint,
) -> AsyncIterator[GatewayServer]:
    """Serve on a bound socket until the end of the block, on this event loop."""
    app = create_app(settings, routers=routers, failpoint=failpoint)
    # The application is opened here rather than by uvicorn, which would turn its errors into lines of a log.
    async with app.router.lifespan_context(app):
        server = GatewayServer(_configure(app, settings), app.state.parts)
        task = asyncio.create_task(server.serve(sockets=[listening]))
        task.add_done_callback(lambda _: server.ended.set())
        while not server.started and not task.done():  # noqa: ASYNC110 - uvicorn tells of it by this alone
            await asyncio.sleep(0.01)
        try:
            yield server
        finally:
            server.begin_stop()
            await task


def _configure(app: FastAPI, settings: GatewaySettings) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=GatewayProtocol,
        loop="none",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.gateway_proxies),
        forwarded_allow_ips=settings.gateway_proxies or None,
        limit_concurrency=settings.gateway_connections_max,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=settings.gateway_stop_seconds_max,
    )


def _listen(settings: GatewaySettings, *, shares_port: bool) -> socket.socket:
    host, port = parse_listening(settings.gateway_listen)
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shares_port:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listening.bind(address)
    except OSError as error:
        raise InvalidSettings(
            [f"FTE_GATEWAY_LISTEN: cannot listen on {host} port {port}: {error.strerror or error}"]
        ) from None
    listening.setblocking(False)  # noqa: FBT003 - the standard library's
    return listening
