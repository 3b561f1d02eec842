"""Let a real Prometheus scrape a loaded product, and ask it every question of the dashboards.

`python -m ops.lab.scrape` needs `prometheus` (of the Debian package of this name) on the path. It runs servers, two
workers, a gateway, a process that delivers webhooks, `fte metrics`, a simulated provider that fails now and then, and
load; kills a worker in the middle; and prints for each panel how many series each of its questions finds. Exit code 1:
a panel is empty that is not about what did not happen.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from contextlib import ExitStack, contextmanager, suppress
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from pydantic import SecretStr

from ops.desk.webhooks import Targets
from ops.embedded.ports import choose_port
from ops.embedded.supervisor import TETHER
from ops.lab.llm_sim.child import run_simulator
from ops.lab.load.options import LoadOptions
from ops.lab.load.run import run_load
from ops.lab.webhook_receiver import run_receiver
from ops.standalone.standalone import fte_command, run_everything, worker_environment
from ops.watch.boards import BOARDS
from ops.watch.panels import RATE
from runtime.configuration import load_settings, open_sealer
from runtime.database import Database
from schema.settings.models import ModelPrice

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schema.settings import Settings

PORTS: Final = 12
"""Ports that are scraped, from the first one on: one for each process, and some that nobody has."""

SCRAPE_SECONDS: Final = 2
LOAD: Final = LoadOptions(conversations=40, turns=3, messages_per_second=2.0)
WINDOW: Final = "1m"
HTTP_SECONDS_MAX: Final = 10.0

NOT_HAPPENED: Final = frozenset(
    {"fte_spans_dropped_total", "fte_collect_failed_total", "fte_dead_letters_total", "fte_channel_accounts_stopped"}
)
"""Metrics without a series as long as nothing of the kind has happened."""

FAULTS: Final = ("429=0.1", "500=0.05", "malformed=0.02")


def main() -> int:
    """Run everything, and print what each panel found."""
    if shutil.which("prometheus") is None:
        print("prometheus is not on the path: apt-get install prometheus", file=sys.stderr)  # noqa: T201 - its output
        return 2
    with TemporaryDirectory(prefix="fte-scrape-") as folder, ExitStack() as opened:
        place = Path(folder)
        provider = opened.enter_context(
            run_simulator(["--latency-ms", "50..200", *(f"--fault={fault}" for fault in FAULTS)])
        )
        first = choose_port(None)
        settings, crew = opened.enter_context(
            run_everything(_settings(place, provider, first), workers=2, say=lambda _: None)
        )
        prometheus = opened.enter_context(_prometheus(place, first))
        _start_the_rest(opened, settings, place, first)
        _load(settings, crew.pids)
        subprocess.run(fte_command("verify"), env=worker_environment(settings), timeout=120, check=False)
        time.sleep(6 * SCRAPE_SECONDS)
        return _report(prometheus)


def _settings(place: Path, provider: str, port: int) -> Settings:
    return load_settings(
        state_dir=place / "state",
        model="openai:sim",
        openai_api_key=SecretStr("any"),
        openai_base_url=provider,
        model_prices={"sim": ModelPrice(input=Decimal(1), output=Decimal(2))},
        metrics_listen=f"127.0.0.1:{port}",
        gateway_listen=f"127.0.0.1:{choose_port(None)}",
        webhook_networks=["127.0.0.0/8"],
    )


def _start_the_rest(opened: ExitStack, settings: Settings, place: Path, port: int) -> None:
    url = opened.enter_context(run_receiver(place / "received.jsonl"))
    asyncio.run(_add_target(settings, f"{url}/hook"))
    for name, arguments in (
        ("gateway", ("gateway",)),
        ("deliverer", ("deliver", "webhooks")),
        ("exporter", ("metrics", "--listen", f"127.0.0.1:{port}")),
    ):
        opened.enter_context(_process(fte_command(*arguments), worker_environment(settings), place / f"{name}.log"))


async def _add_target(settings: Settings, url: str) -> None:
    database = Database(settings)
    await database.open()
    try:
        await Targets(database, open_sealer(settings), "default", by="fte lab").add(url, [])
    finally:
        await database.close()


def _load(settings: Settings, workers: list[int]) -> None:
    """Send messages, ask the gateway now and then, and kill a worker in the middle."""

    async def run(options: LoadOptions) -> None:
        load = asyncio.create_task(run_load(settings, options))
        began, killed = time.monotonic(), False
        while not load.done():
            await asyncio.wait({load}, timeout=1.0)
            await asyncio.to_thread(_knock, f"http://{settings.gateway_listen}/v1/health/live")
            if not killed and time.monotonic() - began > options.conversations * options.turns / 4:
                os.kill(workers[0], signal.SIGKILL)
                killed = True
        await load

    asyncio.run(run(LOAD))


def _knock(url: str) -> None:
    with suppress(OSError):  # it is starting
        urllib.request.urlopen(url, timeout=HTTP_SECONDS_MAX).close()  # noqa: S310 - our own gateway


@contextmanager
def _process(command: list[str], environment: dict[str, str], log: Path) -> Iterator[None]:
    """Run a process that ends with this one, until the end of the block."""
    tethered = [sys.executable, "-I", "-S", str(TETHER), str(os.getpid()), *command]
    with log.open("wb") as told, subprocess.Popen(tethered, stdout=told, stderr=told, env=environment) as process:
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()


@contextmanager
def _prometheus(place: Path, first: int) -> Iterator[str]:
    """Run a Prometheus that scrapes the ports from the first one on; yields its URL."""
    targets = [f"127.0.0.1:{port}" for port in range(first, first + PORTS)]
    configuration = {
        "global": {"scrape_interval": f"{SCRAPE_SECONDS}s"},
        "scrape_configs": [{"job_name": "fte", "static_configs": [{"targets": targets}]}],
    }
    path = place / "prometheus.yml"
    path.write_text(json.dumps(configuration), encoding="utf-8")  # which is YAML as well
    port = choose_port(None)
    command = ["prometheus", f"--config.file={path}", f"--storage.tsdb.path={place / 'tsdb'}"]
    with _process([*command, f"--web.listen-address=127.0.0.1:{port}"], dict(os.environ), place / "prometheus.log"):
        yield f"http://127.0.0.1:{port}"


def _report(prometheus: str) -> int:
    """Print how many series each panel's questions find; return the exit code."""
    empty = 0
    for board in BOARDS:
        for _, row in board.rows:
            for panel in row:
                counts = [_series(prometheus, query.expression) for query in panel.queries]
                names = " ".join(query.expression for query in panel.queries)
                excused = any(name in names for name in NOT_HAPPENED)
                verdict = "ok" if all(counts) else "not happened" if excused else "EMPTY"
                empty += verdict == "EMPTY"
                told = f"{verdict:>12}  {board.name}: {panel.title}: {', '.join(map(str, counts))} series"
                print(told, flush=True)  # noqa: T201 - its output
    return 1 if empty else 0


def _series(prometheus: str, expression: str) -> int:
    text = expression.replace(RATE, WINDOW).replace("$instance", ".*")
    asked = urllib.parse.urlencode({"query": text})
    with urllib.request.urlopen(f"{prometheus}/api/v1/query?{asked}", timeout=HTTP_SECONDS_MAX) as answer:  # noqa: S310
        found: dict[str, Any] = json.load(answer)
    return len(found["data"]["result"])


if __name__ == "__main__":
    sys.exit(main())
