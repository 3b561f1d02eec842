"""Workers that die or are told to stop in the middle of a load: nothing lost, doubled or out of order."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from ops.runtime.configuration import load_settings
from ops.runtime.database import EVERY_TENANT, Database
from ops.standalone import Crew, run_everything
from producer.load.report import LoadReport
from producer.load.run import LoadOptions, LoadProgress, run_load
from schema.settings import Settings

GO_ON_SECONDS_MAX = 20.0
ANSWERED_BEFORE = 30


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Settings, Crew]]:
    """Run PostgreSQL, Redis and two worker processes."""
    settings = load_settings(state_dir=tmp_path_factory.mktemp("product"))
    with run_everything(settings, workers=2, say=lambda _: None) as running:
        yield running


@pytest.fixture
async def database(product: tuple[Settings, Crew]) -> AsyncIterator[Database]:
    made = Database(product[0])
    await made.open()
    yield made
    await made.close()


def _load() -> LoadOptions:
    return LoadOptions(conversations=40, turns=4, messages_per_second=25, model_latency_ms="200..500")


class _Once:
    """Send a signal to one worker as soon as so many messages are answered."""

    def __init__(self, crew: Crew, number: signal.Signals) -> None:
        self._crew = crew
        self._number = number
        self.pid = 0

    def __call__(self, progress: LoadProgress) -> None:
        if not self.pid and progress.answered >= ANSWERED_BEFORE:
            self.pid = self._crew.pids[0]
            os.kill(self.pid, self._number)


def _assert_nothing_went_wrong(report: LoadReport) -> None:
    assert (report["messages"], report["replies"]) == (160, 160)
    assert (report["lost"], report["duplicated"], report["out_of_order"]) == (0, 0, 0)


async def test_a_killed_workers_conversations_go_on_within_20_seconds(
    product: tuple[Settings, Crew], database: Database
) -> None:
    settings, crew = product
    kill = _Once(crew, signal.SIGKILL)

    report = await run_load(settings, _load(), kill)

    assert kill.pid
    _assert_nothing_went_wrong(report)
    assert report["latency_ms"]["max"] < GO_ON_SECONDS_MAX * 1_000
    assert await _tried_again(database) > 0


async def test_a_stopping_worker_costs_no_message_an_attempt(
    product: tuple[Settings, Crew], database: Database
) -> None:
    settings, crew = product
    before = await _tried_again(database)
    stop = _Once(crew, signal.SIGTERM)

    report = await run_load(settings, _load(), stop)

    assert stop.pid
    _assert_nothing_went_wrong(report)
    assert await _tried_again(database) == before
    assert "worker.stopped" in _logs(settings.state_dir)


async def _tried_again(database: Database) -> int:
    """Count the turns that took more than one attempt."""
    async with database.transaction(EVERY_TENANT) as transaction:
        cursor = await transaction.connection.execute("SELECT count(*) AS turns FROM turn WHERE attempts > 1")
        row = await cursor.fetchone()
    assert row is not None
    return int(row["turns"])


def _logs(folder: Path) -> str:
    return "".join(path.read_text() for path in folder.glob("worker-*.log*"))
