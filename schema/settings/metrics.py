"""Define the settings of metrics."""

from __future__ import annotations

from pydantic import Field, field_validator

from schema.settings.deployment import DeploymentSettings
from schema.settings.listening import parse_listening
from schema.settings.mailbox import MailboxSettings
from schema.settings.section import Section


class MetricsSettings(Section):
    """Where a process serves its metrics, and how many tenants they tell apart."""

    metrics_listen: str = Field(
        default="",
        description="address and port of a process's metrics for Prometheus, such as 127.0.0.1:9100; where the port is "
        "taken, the next free one of the 63 that follow; unset: none",
    )
    metrics_tenants_max: int = Field(
        default=50, ge=0, le=1_000, description="tenants that one process's metrics tell apart; the rest are 'other'"
    )

    @field_validator("metrics_listen")
    @classmethod
    def _says_where_metrics_are(cls, value: str) -> str:
        if value:
            parse_listening(value)
        return value


class MeasuredSettings(DeploymentSettings, MetricsSettings):
    """What a process needs that works on a deployment's servers and serves its metrics."""


class ExportSettings(MailboxSettings, MeasuredSettings):
    """What the process that exports a whole deployment's figures needs: its servers, and where mailboxes are."""
