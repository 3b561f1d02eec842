"""Define the settings of guardrails."""

from __future__ import annotations

from pydantic import Field

from schema.settings.models import ModelSettings
from schema.settings.section import Section


class AbuseSettings(ModelSettings):
    """How abuse is judged, and how long it is remembered."""

    abuse_model_seconds_max: float = Field(
        default=5, gt=0, description="how long a reply waits for the model that judges abuse; not asked when local"
    )
    abuse_cooling_minutes: int = Field(default=15, ge=1, description="the pause after repeated abuse")
    abuse_memory_minutes: int = Field(
        default=1_440, ge=1, description="how long after the last abusive message the next is not a first one"
    )


class GuessSettings(Section):
    """How many wrong tries to verify a booking a day allows."""

    sender_guesses_per_day_max: int = Field(
        default=5, ge=1, description="wrong guesses of one sender on a day (UTC), in all conversations; then a person"
    )
    booking_guesses_per_day_max: int = Field(
        default=10, ge=1, description="wrong guesses at one booking on a day (UTC), whoever makes them; then a person"
    )
