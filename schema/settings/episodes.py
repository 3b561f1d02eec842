"""Define the settings of episodes: when a conversation counts as completed."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field, field_validator

from schema.channels import Channel
from schema.settings.section import Section

IDLE_HOURS: Final[dict[Channel, float]] = {"chat": 4, "sms": 24, "email": 72}
"""After how long without a message or an answer an episode is over, where the settings do not say otherwise."""


class EpisodeSettings(Section):
    """After how long a silence an episode of a conversation is over."""

    episode_idle_hours: dict[Channel, Annotated[float, Field(gt=0, le=8_760)]] = Field(
        default_factory=lambda: dict(IDLE_HOURS),
        validate_default=True,
        description='silence after which an episode is over, {"chat": 2}; of channels that are left out: the default',
    )

    @field_validator("episode_idle_hours")
    @classmethod
    def _complete(cls, given: dict[Channel, float]) -> dict[Channel, float]:
        return IDLE_HOURS | given
