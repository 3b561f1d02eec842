"""Define the settings of a turn."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from schema.channels import Channel
from schema.ids import BRAND_PATTERN
from schema.messages.reply import IN_REPLY_TO_MAX
from schema.settings.attempts import AttemptSettings
from schema.settings.section import Section


class BurstSettings(Section):
    """Which messages in a row one turn answers together."""

    burst_messages_max: int = Field(
        default=10, ge=1, le=IN_REPLY_TO_MAX, description="messages that one turn answers; 1: each by itself"
    )
    burst_seconds_max: float = Field(
        default=30, gt=0, description="from the first message of a burst to the last; also how long the first waits"
    )
    burst_quiet_seconds: dict[Channel, Annotated[float, Field(ge=0)]] = Field(
        default_factory=dict,
        description='how long a channel is quiet before its burst is answered, {"sms": 1.5}; unset: not waited for',
    )

    @model_validator(mode="after")
    def _is_answered_in_time(self) -> Self:
        quietest = max(self.burst_quiet_seconds.values(), default=0.0)
        if quietest > self.burst_seconds_max:
            raise ValueError(
                f"FTE_BURST_QUIET_SECONDS waits {quietest:g} s for quiet, over FTE_BURST_SECONDS_MAX="
                f"{self.burst_seconds_max:g}, after which a burst is answered anyway"
            )
        return self


class TurnSettings(BurstSettings, AttemptSettings):
    """What a turn reads, and how long its steps and its customer may wait."""

    turn_seconds_max: float = Field(default=60, gt=0, description="time limit of one turn")
    model_calls_max: int = Field(default=10, ge=1, le=500, description="model calls within one turn")
    history_items_max: int = Field(default=30, ge=4, description="session items a model sees")
    tool_output_characters_max: int = Field(default=8_000, ge=200, description="length of one tool's answer")
    answer_by_minutes: int = Field(default=60, ge=1, description="within how long a human takes up an escalation")
    quote_minutes: int = Field(default=30, ge=1, description="how long a quoted change waits for the customer's yes")
    sender_silence_days_max: int = Field(
        default=30,
        ge=1,
        description="after so long a silence a sender is a new one: telephone numbers are given to others",
    )
    brand: str = Field(
        default="Larkfield Air",
        pattern=BRAND_PATTERN,
        description="the airline's name to customers of a tenant that has none of its own (fte migrate --brand)",
    )
