"""Define the settings of the process that takes mails from a mail server, by LMTP or SMTP."""

from __future__ import annotations

import ipaddress

from pydantic import Field, field_validator

from schema.settings.answers import MailAnswerSettings
from schema.settings.listening import parse_listening
from schema.settings.sending import SendingSettings


class MailDoorSettings(MailAnswerSettings, SendingSettings):
    """Where mails are taken from the mail server in front, and what one process bears."""

    mail_door_listen: str = Field(
        default="127.0.0.1:8025",
        description="where mails are taken by LMTP or SMTP: an address of loopback with a port, or a socket's path",
    )
    mail_door_sessions_max: int = Field(
        default=50, ge=1, le=1_000, description="sessions of mail servers at once; more are told to come again (421)"
    )
    mail_door_seconds_max: float = Field(
        default=60, ge=1, le=600, description="time limit of one command, and of one mail's bytes"
    )

    @field_validator("mail_door_listen")
    @classmethod
    def _is_beside_the_mail_server(cls, value: str) -> str:
        if value.startswith("/"):
            return value
        listening = parse_listening(value)
        if listening.host != "localhost" and not _is_loopback(listening.host):
            raise ValueError(
                "an address of loopback or the path of a socket: a mail server stands in front, which verifies who "
                "sends, encrypts and keeps spam away"
            )
        return value


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
