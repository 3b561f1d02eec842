"""Define the settings of how many messages are answered."""

from __future__ import annotations

from pydantic import Field

from schema.settings.section import Section


class MailAnswerSettings(Section):
    """How many mails the bot answers; more are recorded, and a person is told."""

    mail_sender_hour_max: int = Field(
        default=10, ge=1, description="mails of one address that are answered in an hour; more get a ticket"
    )
    mail_sender_day_max: int = Field(default=30, ge=1, description="the same in 24 hours")
    mail_conversation_hour_max: int = Field(
        default=10, ge=1, description="mails of one conversation that are answered in an hour, whoever writes them"
    )
    mail_conversation_day_max: int = Field(default=30, ge=1, description="the same in 24 hours")
    mail_domain_day_max: int = Field(
        default=200,
        ge=1,
        description="mails of one domain that are answered in 24 hours; not for those of public mail providers",
    )
    mail_repeats_hour_max: int = Field(
        default=2, ge=1, description="mails of one address with the same words that are answered in an hour"
    )


class SmsAnswerSettings(Section):
    """How many text messages the bot answers; more are recorded, and a person is told."""

    sms_sender_hour_max: int = Field(
        default=30, ge=1, description="text messages of one number that are answered in an hour; more get a ticket"
    )
    sms_sender_day_max: int = Field(default=100, ge=1, description="the same in 24 hours")
    sms_repeats_hour_max: int = Field(
        default=2,
        ge=1,
        description="text messages of one number with the same words that are answered in an hour; short ones count "
        "within 5 s of a reply alone",
    )
