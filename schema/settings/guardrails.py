"""Define the settings of guardrails."""

from __future__ import annotations

from pydantic import Field

from schema.settings.models import ModelSettings
from schema.settings.section import Section


class AbuseSettings(ModelSettings):
    """How abuse is judged, and how long it is remembered."""

    abuse_asks_model: bool = Field(
        default=True, description="ask the model for a second opinion on abuse; one more call a turn, never when local"
    )
    abuse_model_seconds_max: float = Field(
        default=5, gt=0, description="how long a reply waits for the model that judges abuse; not asked when local"
    )
    abuse_cooling_minutes: int = Field(default=15, ge=1, description="the pause after repeated abuse")
    abuse_memory_minutes: int = Field(
        default=1_440, ge=1, description="how long after the last abusive message the next is not a first one"
    )


class EmergencySettings(Section):
    """What a customer in danger is told, and how soon a person looks; answered before any model is asked."""

    emergency_number: str = Field(
        default="911 in the US and Canada, 112 in Europe and on most mobile phones elsewhere",
        min_length=1,
        max_length=200,
        description="the number to call, as customers in danger read it",
    )
    crisis_line: str = Field(
        default="call or text 988 in the US and Canada; findahelpline.com lists a free line for every other country",
        min_length=1,
        max_length=300,
        description="where somebody who may harm themselves finds a person to talk to, as customers read it",
    )
    emergency_answer_by_minutes: int = Field(
        default=5, ge=1, description="within how long a human takes up an emergency"
    )


class GuardrailSettings(AbuseSettings, EmergencySettings):
    """What the answer to a message is made from that a guardrail stopped."""


class GuessSettings(Section):
    """How many wrong tries to verify a booking a day allows."""

    sender_guesses_per_day_max: int = Field(
        default=5, ge=1, description="wrong guesses of one sender on a day (UTC), in all conversations; then a person"
    )
    booking_guesses_per_day_max: int = Field(
        default=10, ge=1, description="wrong guesses at one booking on a day (UTC), whoever makes them; then a person"
    )
