"""Define the settings of mailboxes and leases."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from schema.settings.attempts import AttemptSettings


class MailboxSettings(AttemptSettings):
    """How long leases, doorbells and parking last; the same in every process."""

    partitions: int = Field(default=16, ge=1, le=100, description="Redis partitions; the same in every process")
    lease_seconds: float = Field(default=6, gt=0, description="how long a silent worker keeps a conversation")
    renew_seconds: float = Field(default=2, gt=0, description="how often a worker renews its leases")
    bell_seconds: float = Field(
        default=1.5, gt=0, description="how long a doorbell may take before rescue takes the conversation up"
    )

    @model_validator(mode="after")
    def _can_be_late_once(self) -> Self:
        if self.renew_seconds * 2 > self.lease_seconds:
            raise ValueError(
                f"FTE_RENEW_SECONDS={self.renew_seconds} is over half of FTE_LEASE_SECONDS={self.lease_seconds}: "
                "one late renewal would lose every lease"
            )
        return self
