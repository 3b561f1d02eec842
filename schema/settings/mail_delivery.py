"""Define the settings of how replies are handed to relays of e-mail."""

from __future__ import annotations

from pydantic import Field

from schema.settings.section import Section


class MailDeliverySettings(Section):
    """How a process hands mails to relays."""

    mail_seconds_max: float = Field(
        default=180,
        ge=1,
        le=900,
        description="time limit of handing one mail to a relay; one that answers later gets the mail again",
    )
