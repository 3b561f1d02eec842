"""Answer the doorbell: the one Celery task."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schema.ids import ConversationKey
from schema.tasks import DRAIN_TASK

if TYPE_CHECKING:
    from collections.abc import Callable

    from celery import Celery


def register_tasks(app: Celery, drain: Callable[[ConversationKey], None]) -> None:
    """Register the drain task; its thread waits while `drain` runs on the process's loop.

    Waiting keeps Celery's own meaning of concurrency, back-pressure and warm shutdown.
    """

    @app.task(name=DRAIN_TASK, ignore_result=True, shared=False)  # each app of this process drains by itself
    def answer(tenant: str, conversation: str) -> None:
        drain(ConversationKey(tenant, conversation))
