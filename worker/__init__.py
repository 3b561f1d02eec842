"""The worker: its Celery app, the mailbox, the pipeline and the agents."""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    """Return `celery`, the app that `celery -A worker` looks for; importing another part does not load Celery."""
    if name == "celery":
        from worker.app import app  # noqa: PLC0415 - as said above

        return app
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
