"""A worker's doorbell: best effort, and never a reason for a turn to fail."""

from __future__ import annotations

import pytest

from runtime.telemetry.logs import configure_logs
from schema.ids import ConversationKey
from schema.settings import Settings
from worker.app import WorkerApp, WorkerBell

NOBODY_LISTENS = "redis://127.0.0.1:1/0"


async def test_a_bell_that_cannot_be_rung_is_said_and_left_to_rescue(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(Settings())
    app = WorkerApp(lambda: Settings(database_url="postgresql://127.0.0.1:1/none", redis_url=NOBODY_LISTENS))
    app.conf.broker_transport_options |= {"max_retries": 1, "interval_start": 0}  # the wait is not what is tested

    await WorkerBell(app).ring([ConversationKey("default", "c")])

    assert "doorbell.unreachable" in capsys.readouterr().err
