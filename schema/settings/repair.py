"""Define the settings of the repair loops."""

from __future__ import annotations

from pydantic import Field

from schema.settings.mailbox import MailboxSettings
from schema.settings.section import Section


class RepairSettings(Section):
    """How often each repair loop runs, and how much a round takes up."""

    sweep_seconds: float = Field(default=1, gt=0, description="how often rescue looks for what is overdue")
    reconcile_seconds: float = Field(
        default=3, gt=0, description="age from which an accepted message without a mailbox is put back"
    )
    reconcile_messages_max: int = Field(default=1_000, ge=1, description="messages one rescue round looks at")
    publish_seconds: float = Field(default=2, gt=0, description="age from which rescue publishes an outbox row")
    published_seconds: int = Field(default=7 * 86_400, ge=60, description="how long Redis remembers what is published")
    collected_seconds: float = Field(
        default=2, gt=0, description="how often rescue notes what consumers have acknowledged; docs/gateway.md"
    )
    trim_seconds: float = Field(default=10, gt=0, description="how often rescue trims the streams and ends episodes")


class VerificationSettings(RepairSettings, MailboxSettings):
    """What a verification reads: where mailboxes are, and how long what is broken may wait for its repair."""
