"""Answer the doorbell: the one Celery task."""

from __future__ import annotations

from celery import Celery

from schema.ids import ConversationKey
from schema.tasks import DRAIN_TASK
from worker.process.loop import LoopThread
from worker.process.service import WorkerService


def register_tasks(app: Celery, loop: LoopThread, service: WorkerService) -> None:
    """Register the drain task; its thread waits while the coroutine runs on the process's loop.

    Waiting keeps Celery's own meaning of concurrency, back-pressure and warm shutdown.
    """

    @app.task(name=DRAIN_TASK, ignore_result=True)
    def drain(tenant: str, conversation: str) -> None:
        loop.run(service.drainer.drain(ConversationKey(tenant, conversation)))
