"""Define the settings of senders: what is accepted, and where it goes."""

from __future__ import annotations

from pydantic import Field

from schema.settings.deployment import DeploymentSettings
from schema.settings.mailbox import MailboxSettings


class SendingSettings(MailboxSettings, DeploymentSettings):
    """Which messages `send` takes, and how many may wait unanswered."""

    mailbox_messages_max: int = Field(default=10_000, ge=1, description="unanswered messages of one conversation")
    backlog_messages_max: int = Field(
        default=100_000, ge=1, description="unanswered messages of all conversations together; send refuses more"
    )
    tenant_backlog_messages_max: int = Field(
        default=80_000, ge=1, description="unanswered messages of one tenant; send refuses more from it alone"
    )
    clock_skew_seconds_max: int = Field(default=300, ge=0, description="how far in the future sent_at may be")
    age_seconds_max: int = Field(
        default=7 * 86_400,
        ge=1,
        validation_alias="FTE_MESSAGE_AGE_SECONDS_MAX",
        description="how far in the past sent_at may be",
    )
    load_tests: bool = Field(
        default=False,
        description="take and obey reserved metadata (fte.model_latency_ms); for load tests, in senders and workers",
    )
