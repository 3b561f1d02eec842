"""Run a worker process: Celery with the threads pool in front of one asyncio loop."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import sys
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import structlog
from celery import Celery
from celery.exceptions import CPendingDeprecationWarning
from celery.signals import setup_logging, worker_shutting_down
from kombu import Queue
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

from runtime.failpoints import read_failpoint
from runtime.telemetry.logs import configure_logs
from schema.errors import InvalidSettings
from schema.ids import ConversationKey
from schema.settings import Settings
from schema.tasks import DOORBELL_QUEUE, DRAIN_TASK, celery_configuration
from worker.process.loop import LoopThread
from worker.process.service import open_service
from worker.process.watchdog import end_when_still
from worker.tasks import register_tasks

_log = structlog.get_logger("fte.worker")

_GC_THRESHOLDS = (50_000, 20, 20)
_SWITCH_SECONDS = 0.0005


def make_app(redis_url: str) -> Celery:
    """Make the Celery app; nothing connects yet."""
    app = Celery("fte", set_as_current=False)
    app.conf.update(
        celery_configuration(redis_url),
        worker_enable_remote_control=False,
        # What a dying worker takes along is taken up by rescue; acknowledging each would cost two round trips.
        task_queues=[Queue(DOORBELL_QUEUE, no_ack=True)],
    )
    return app


class WorkerBell:
    """Ring doorbells from inside a worker: kombu blocks, so a thread of its own does it."""

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
    """Run until SIGTERM or SIGINT; gives the exit code, 0: being told to stop is no failure, ending unasked is one.

    Raises ServerUnreachable, SchemaOutdated or InvalidSettings before any work starts.
    """
    if settings.redis_url is None:
        raise InvalidSettings(["FTE_REDIS_URL: not set; `fte up` prints one"])
    configure_logs(settings)
    app = make_app(settings.redis_url)
    loop = LoopThread()
    try:
        service = loop.run(open_service(settings, WorkerBell(app).ring, reach=read_failpoint(os.environ)))
        loop.run(_call(service.start))
        guard = loop.submit(end_when_still(settings.still_seconds_max))
        register_tasks(app, loop, service)

        def stop(**_: Any) -> None:
            loop.submit(_call(service.begin_stop))

        def keep_logs(**_: Any) -> None:
            """Leave logging as configured above: a receiver of this signal is how Celery is told so."""

        worker_shutting_down.connect(stop, weak=False)
        setup_logging.connect(keep_logs, weak=False)
        worker = app.Worker(
            pool="threads",
            concurrency=settings.concurrency,
            queues=[DOORBELL_QUEUE],
            without_gossip=True,
            without_mingle=True,
            without_heartbeat=True,
            quiet=True,
            loglevel=logging.WARNING,
            hostname=f"fte-{os.getpid()}@%h",
        )
        # Only now: making the worker sets filters. Our tasks outlive a lost connection, which is the warning.
        warnings.simplefilter("ignore", CPendingDeprecationWarning)
        _settle_memory()
        # Celery's thread would wait up to 5 ms for the loop's, at each step of taking a doorbell.
        sys.setswitchinterval(_SWITCH_SECONDS)
        _log.info("worker.ready", model=settings.model, concurrency=settings.concurrency)
        if on_ready is not None:
            on_ready()
        worker.start()
        loop.run(service.close())
        guard.cancel()
        _log.info("worker.stopped")
        return worker.exitcode or 0
    finally:
        loop.stop()


def _settle_memory() -> None:
    """Tell the garbage collector what stays, and to look less often.

    Hundreds of turns are alive at once, and nearly all they allocate is freed by counting references: with the default
    thresholds every full collection walks all of it for nothing, which took a fifth of a worker's CPU.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLDS)


async def _call(start: Callable[[], None]) -> None:
    start()
