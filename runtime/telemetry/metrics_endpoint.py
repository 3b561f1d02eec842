"""Serve a process's metrics over HTTP, on a thread of its own beside the event loop."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Final

import structlog
from prometheus_client import start_http_server

from schema.errors import InvalidSettings
from schema.settings.listening import Listening, parse_listening

if TYPE_CHECKING:
    from threading import Thread
    from wsgiref.simple_server import WSGIServer

    from prometheus_client import CollectorRegistry

PORTS_MAX: Final = 64
"""Ports that are tried, from the one in the settings on: the processes of a host take one each."""

_log = structlog.get_logger("fte.metrics")


class MetricsEndpoint:
    """Serves a registry at `/metrics` until it is closed; `port` is the one that it found free."""

    def __init__(self, server: WSGIServer, thread: Thread) -> None:
        self._server = server
        self._thread = thread
        self.port: int = server.server_port

    def close(self) -> None:
        """Stop to serve."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def serve_metrics(registry: CollectorRegistry, listen: str, *, setting: str = "FTE_METRICS_LISTEN") -> MetricsEndpoint:
    """Serve at an address and port such as `127.0.0.1:9100`, or at the next free port of the PORTS_MAX from there on.

    Several processes of a host can have one setting. Raises InvalidSettings, which names `setting`, when no port is
    free or the address is not this machine's.
    """
    wanted = parse_listening(listen)
    for port in range(wanted.port, wanted.port + PORTS_MAX):
        try:
            server, thread = start_http_server(port, addr=wanted.host, registry=registry)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                continue
            raise InvalidSettings([f"{setting}: {_refusal(wanted, error.strerror or str(error))}"]) from None
        except OverflowError:
            break  # there is no port above 65535
        endpoint = MetricsEndpoint(server, thread)
        _log.info("metrics.served", address=wanted.host, port=endpoint.port)
        return endpoint
    raise InvalidSettings([f"{setting}: {_refusal(wanted, f'none of {PORTS_MAX} ports from there on is free')}"])


def _refusal(wanted: Listening, reason: str) -> str:
    return f"cannot listen on {wanted.host} port {wanted.port}: {reason}"
