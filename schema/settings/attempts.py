"""Define the settings of repeated attempts."""

from __future__ import annotations

from pydantic import Field

from schema.settings.section import Section


class AttemptSettings(Section):
    """How often a message is tried, and how long it is parked between two attempts."""

    attempts_max: int = Field(default=5, ge=1, description="attempts at one message before it is a dead letter")
    backoff_seconds: float = Field(default=0.5, gt=0, description="first wait after a transient failure; doubles")
    backoff_seconds_max: float = Field(default=30, gt=0, description="longest wait between attempts")
    model_park_seconds_max: float = Field(default=120, gt=0, description="longest Retry-After that is obeyed")
