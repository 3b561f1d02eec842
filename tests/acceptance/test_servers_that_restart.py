"""PostgreSQL and Redis restart in the middle of a load: everybody waits, says so once, and goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ops.embedded import EmbeddedStack
from ops.migrate import migrate
from ops.runtime.configuration import load_settings, open_sealer
from ops.standalone import run_workers
from producer.load.run import LoadOptions, LoadProgress, run_load
from schema.settings import Settings

ANSWERED_BEFORE = 20


@dataclass(frozen=True)
class Product:
    """Hold one stack and the worker process on it."""

    stack: EmbeddedStack
    settings: Settings

    @property
    def log(self) -> str:
        return "".join(path.read_text() for path in self.settings.state_dir.glob("worker-*.log*"))


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    folder: Path = tmp_path_factory.mktemp("product")
    with EmbeddedStack(folder) as stack:
        settings = load_settings(
            state_dir=folder, database_url=stack.addresses.database_url, redis_url=stack.addresses.redis_url
        )
        migrate(stack.addresses.database_url, open_sealer(settings))
        with run_workers(settings, count=1, say=lambda _: None):
            yield Product(stack, settings)


class _Once:
    """Do something as soon as so many messages are answered."""

    def __init__(self, act: Callable[[], None]) -> None:
        self._act = act
        self.done = False

    def __call__(self, progress: LoadProgress) -> None:
        if not self.done and progress.answered >= ANSWERED_BEFORE:
            self.done = True
            self._act()


@pytest.mark.parametrize("server", ["redis", "postgres"])
async def test_a_restart_under_load_loses_nothing_and_answers_nothing_twice(product: Product, server: str) -> None:
    kill = {"redis": product.stack.kill_redis, "postgres": product.stack.kill_postgres}[server]
    start = {"redis": product.stack.start_redis, "postgres": product.stack.start_postgres}[server]

    def restart() -> None:
        kill()
        start()

    once = _Once(restart)
    options = LoadOptions(conversations=30, turns=3, messages_per_second=20, model_latency_ms="100..300")

    report = await run_load(product.settings, options, once)

    assert once.done
    assert (report["messages"], report["replies"]) == (90, 90)
    assert (report["lost"], report["duplicated"], report["out_of_order"]) == (0, 0, 0)
    assert product.log.count('"rescue.failed"') == 0
    assert product.log.count('"turn.failed_bug"') == 0
