"""Define the settings of webhooks: what is delivered to receivers outside."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network
from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import NoDecode

from schema.settings.metrics import MeasuredSettings
from schema.settings.section import Section, split_at_commas


class WebhookSettings(Section):
    """How a process delivers webhooks, and where it may connect."""

    webhook_seconds_max: float = Field(
        default=15, gt=0, le=60, description="time limit of one attempt, from looking its address up to the answer"
    )
    webhook_deliveries_max: int = Field(
        default=32, ge=1, le=1_000, description="deliveries that one process has under way at once"
    )
    webhook_log_days: int = Field(
        default=30, ge=4, description="how long events and their deliveries are kept, to look up and to replay"
    )
    webhook_networks: Annotated[list[IPv4Network | IPv6Network], NoDecode] = Field(
        default_factory=list,
        description="private networks that receivers may be in, 10.1.2.0/24,127.0.0.0/8; unset: none",
    )

    _split_networks = field_validator("webhook_networks", mode="before")(split_at_commas)


class DeliverySettings(WebhookSettings, MeasuredSettings):
    """What the process that delivers webhooks needs: its servers and keys, and how it delivers."""
