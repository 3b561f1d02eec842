"""Run HTTP gateway processes beside this one, each started again when it ends."""

from __future__ import annotations

import socket
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ops.embedded import WorkerSupervisor
from ops.standalone.standalone import fte_command, wait_until_ready, worker_environment
from schema.settings.listening import parse_listening

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schema.settings import Settings

STOP_SECONDS_MAX = 20.0


@contextmanager
def run_gateway_beside(settings: Settings, *, serves_operators: bool = False) -> Iterator[str]:
    """Run a gateway on the settings' servers for the length of the block, and yield its base URL.

    It listens on the settings' port, or on a free one where that is taken. Its log is `gateway-0.log` in the state
    folder. Raises WorkerNotReady.
    """
    host, wanted = parse_listening(settings.gateway_listen)
    listen = f"{f'[{host}]' if ':' in host else host}:{_find_port(host, wanted)}"
    log = settings.state_dir / "gateway-0.log"
    with tempfile.TemporaryDirectory(prefix="fte-gateway-") as folder:
        command = fte_command("gateway", "--listen", listen, "--ready-folder", folder)
        command += ["--operators"] if serves_operators else []
        supervisor = WorkerSupervisor(
            command, count=1, state_dir=settings.state_dir, env=worker_environment(settings), name="gateway"
        )
        try:
            supervisor.start()
            wait_until_ready(supervisor, Path(folder), lambda: log, process="(the HTTP gateway) ")
            yield f"http://{listen}"
        finally:
            supervisor.stop(settings.gateway_stop_seconds_max + STOP_SECONDS_MAX)


def _find_port(host: str, wanted: int) -> int:
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    return wanted  # the gateway says what is wrong with it
