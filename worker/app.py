"""The Celery app of a worker: `celery -A worker worker` starts a whole one, `fte worker` one with good defaults.

Importing this reads no environment and connects to nothing: settings are read when Celery first asks for its
configuration, and a worker's service is opened by a bootstep of its own.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
import warnings
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import structlog
from celery import Celery
from celery.app.log import Logging
from celery.bootsteps import StartStopStep
from celery.concurrency.thread import TaskPool
from celery.exceptions import CPendingDeprecationWarning
from celery.signals import worker_shutting_down
from celery.utils.nodenames import host_format
from celery.worker.control import inspect_command
from kombu import Queue
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

from runtime.celery_settings import celery_configuration
from runtime.configuration import load_settings
from runtime.garbage import expect_much
from runtime.telemetry.logs import configure_logs
from schema.errors import InvalidSettings
from schema.tasks import DOORBELL_QUEUE, DRAIN_TASK
from worker.tasks import register_tasks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from schema.ids import ConversationKey
    from schema.settings import Settings
    from worker.process.running import RunningService

_log = structlog.get_logger("fte.worker")


class WorkerApp(Celery):
    """Celery app with the source of its settings and the service that runs in its worker."""

    log_cls = "worker.app:_Logs"

    def __init__(self, read_settings: Callable[[], Settings], on_ready: Callable[[], None] | None = None) -> None:
        """Create the app; `on_ready` is called when its worker begins to listen."""
        super().__init__("fte", set_as_current=False)
        self.read_settings = read_settings
        self.on_ready = on_ready
        self.running: RunningService | None = None
        self._configuration = _Configuration(read_settings)
        self.config_from_object(self._configuration)
        self.steps["worker"].add(ServiceStep)
        register_tasks(self, self.drain)

    def connection_for_read(self, url: str | None = None, **options: Any) -> Any:
        """Connect to the broker of the settings to hear doorbells: CELERY_BROKER_URL may be another application's."""
        return super().connection_for_read(url or self._configuration["broker_url"], **options)

    def connection_for_write(self, url: str | None = None, **options: Any) -> Any:
        """Connect to the broker of the settings to ring doorbells."""
        return super().connection_for_write(url or self._configuration["broker_url"], **options)

    def drain(self, key: ConversationKey) -> None:
        """Drain a conversation, and wait until it is drained."""
        if self.running is None:
            raise RuntimeError("this process is no worker: the task runs where `celery -A worker worker` does")
        self.running.drain(key)


class _Configuration(Mapping[str, Any]):
    """Celery's configuration, built from the settings when Celery first reads it."""

    def __init__(self, read_settings: Callable[[], Settings]) -> None:
        self._read_settings = read_settings

    @cached_property
    def _made(self) -> dict[str, Any]:
        settings = self._read_settings()
        if settings.redis_url is None:
            raise InvalidSettings(["FTE_REDIS_URL: not set; `fte up` prints one"])
        return {
            **celery_configuration(settings.redis_url),
            "worker_pool": "threads",
            "worker_concurrency": settings.concurrency,
            # What a dying worker takes along is taken up by rescue; acknowledging each would cost two round trips.
            "task_queues": [Queue(DOORBELL_QUEUE, no_ack=True)],
        }

    def __getitem__(self, name: str) -> Any:
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._made)

    def __len__(self) -> int:
        return len(self._made)


class _Logs(Logging):
    """Configures a worker's logs from the settings, in place of Celery's own formats and levels."""

    app: WorkerApp

    def setup(self, *_: Any, **__: Any) -> list[Any]:
        """Configure the process's logs; Celery calls this once, when a worker begins."""
        configure_logs(self.app.read_settings())
        return [True]


class ServiceStep(StartStopStep):
    """Bootstep that opens the service before the worker's pool and consumer, and closes it when they have stopped.

    A service that cannot be opened ends the command with its error, before the worker announces itself.
    """

    requires = ("celery.worker.components:Timer",)

    def __init__(self, parent: Any, **options: Any) -> None:
        """Create the step for Celery's worker."""
        super().__init__(parent, **options)
        self._stop: Callable[..., None] | None = None

    def create(self, parent: Any) -> RunningService:  # type: ignore[override] # its stubs forget that it returns it
        """Open the service with as many slots as the worker has threads; raises what `RunningService` raises."""
        if not issubclass(parent.pool_cls, TaskPool):
            raise InvalidSettings([f"-P: a worker runs in the threads pool, not in {parent.pool_cls.__module__}"])
        expect_much()
        # Only here: it takes seconds, and `celery -A worker inspect` needs no agents.
        from worker.process.running import RunningService  # noqa: PLC0415 - as said above

        app: WorkerApp = parent.app
        settings = app.read_settings().model_copy(update={"concurrency": parent.concurrency})
        app.running = RunningService(settings, WorkerBell(app).ring)
        return app.running

    def start(self, parent: Any) -> None:
        """Start the service's loops."""
        # Only now: making the worker sets filters. Our tasks outlive a lost connection, which is the warning.
        warnings.simplefilter("ignore", CPendingDeprecationWarning)
        # A cold shutdown cancels each task by this, which the threads pool does not know; `terminate` gives turns back.
        parent.pool.terminate_job = _leave_to_terminate
        self.obj.start()
        # At the signal, not when the consumer has come to its end: it may be waiting for a broker that is away.
        self._stop = partial(_begin_stop, self.obj)
        worker_shutting_down.connect(self._stop)
        if parent.app.on_ready is not None:
            parent.app.on_ready()

    def close(self, parent: Any) -> None:
        """Take no more messages."""
        del parent
        self.obj.begin_stop()

    def stop(self, parent: Any) -> None:
        """Finish the turns under way, give back what takes too long, and disconnect."""
        del parent
        self.obj.close()

    def terminate(self, parent: Any) -> None:
        """Give back the turns under way now, and disconnect."""
        del parent
        self.obj.close(at_once=True)


def _leave_to_terminate(pid: int, signal: object = None) -> None:
    del pid, signal


def _begin_stop(running: RunningService, **_: Any) -> None:
    running.begin_stop()


class WorkerBell:
    """Rings doorbells from inside a worker, on a thread of its own because kombu blocks."""

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="fte-bell")

    async def ring(self, keys: list[ConversationKey]) -> None:
        """Ring for conversations. A bell that cannot be rung is left to rescue, which takes the conversation up."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._ring, keys)

    def _ring(self, keys: list[ConversationKey]) -> None:
        try:
            for key in keys:
                self._app.send_task(
                    DRAIN_TASK,
                    args=list(key),
                    queue=DOORBELL_QUEUE,
                    ignore_result=True,
                    retry=False,
                )
        except (KombuError, RedisError, OSError) as error:
            _log.warning("doorbell.unreachable", error=str(error), conversations=len(keys))


def run_worker(settings: Settings, *, on_ready: Callable[[], None] | None = None) -> int:
    """Run until SIGTERM or SIGINT and return the exit code: to be told to stop is no failure, to end unasked is one.

    Raises ServerUnreachable, SchemaOutdated or InvalidSettings before any work starts.
    """
    served = WorkerApp(lambda: settings, on_ready)
    told: list[str] = []

    def note(sig: str, **_: Any) -> None:
        told.append(sig)

    worker_shutting_down.connect(note)
    try:
        worker = served.Worker(
            pool="threads",
            concurrency=settings.concurrency,
            queues=[DOORBELL_QUEUE],
            without_gossip=True,
            without_mingle=True,
            without_heartbeat=True,
            quiet=True,
            loglevel=logging.WARNING,
            hostname=host_format(f"fte-{os.getpid()}@%h"),
        )
        worker.start()
    finally:
        worker_shutting_down.disconnect(note)
        if served.running is not None:
            served.running.close()
    # Celery's exit code after Ctrl-C is 1, as for an end that nobody asked for.
    return 0 if told else worker.exitcode or 0


@inspect_command()
def loops(state: Any) -> list[dict[str, Any]]:
    """Report for each loop of a worker how often it ran and failed, and when it last succeeded: `inspect loops`."""
    now = time.monotonic()
    return [
        {
            "name": health.name,
            "interval_seconds": health.interval_seconds,
            "runs": health.runs,
            "failures": health.failures,
            "failures_in_a_row": health.failures_in_a_row,
            "succeeded_seconds_ago": health.last_success_at and round(now - health.last_success_at, 1),
        }
        for health in state.app.running.read_loops()
    ]


app = WorkerApp(load_settings)
