"""Define the settings of a worker process."""

from __future__ import annotations

from pydantic import Field

from schema.settings.attempts import AttemptSettings
from schema.settings.section import Section


class DrainSettings(AttemptSettings):
    """How many conversations a process drains at once, and when one gives way to others."""

    concurrency: int = Field(default=256, ge=1, le=2_000, description="conversations one worker process drains at once")
    tenant_share_max: float = Field(
        default=0.8, gt=0, le=1, description="part of them that one tenant may have, where there are several tenants"
    )
    turns_per_drain_max: int = Field(default=10, ge=1, description="turns before a busy conversation gives way")
    give_way_seconds: float = Field(
        default=0.1, ge=0, le=5, description="pause before each further turn of a conversation, while others are served"
    )


class WatchSettings(Section):
    """Time limits of the watchdog, and of a worker that stops."""

    silence_seconds_max: float = Field(
        default=15, gt=0, description="how long a conversation may be overdue while slots are free; logged, taken up"
    )
    still_seconds_max: float = Field(
        default=60, ge=10, description="how long a worker's event loop may stand still before the process ends itself"
    )
    stop_seconds_max: float = Field(default=20, gt=0, description="how long a stopping worker finishes its turns")
