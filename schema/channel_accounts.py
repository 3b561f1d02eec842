"""Settings and secrets of one account of a channel: a number or a mailbox is connected by these alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator, model_validator

from schema.channels import Channel
from schema.errors import FteError

if TYPE_CHECKING:
    from collections.abc import Mapping

ACCOUNT_ID_PATTERN: Final = r"^ch_[0-9a-f]{16}$"

OwnNumber = Annotated[str, StringConstraints(pattern=r"^(\+[1-9][0-9]{6,14}|[0-9]{3,8})$")]
"""A number of ours: E.164, or a short code."""
ServiceSid = Annotated[str, StringConstraints(pattern=r"^MG[0-9a-f]{32}$")]
Secret = Annotated[str, StringConstraints(min_length=1, max_length=4_096, pattern=r"^[^\x00-\x1f\x7f]+$")]
OwnAddress = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9.!#$%&'*/=?^_`{|}~-]{1,31}@[a-z0-9.-]{1,253}$", to_lower=True)
]
"""A mailbox of ours: without a plus, behind which a token comes, and so short that there is room for one."""
HostName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.-]{1,253}$|^::1$")]

LOOPBACK_HOSTS: Final = frozenset({"localhost", "127.0.0.1", "::1"})

MESSAGE_ID_DOMAIN_CHARACTERS_MAX: Final = 32
"""Longest domain of a Message-ID of ours: with it the id has 76 characters, which no mail program folds or encodes."""


class AccountPart(BaseModel):
    """Base class of what is stored of an account; a field that a newer release wrote is passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class AccountSecrets(AccountPart):
    """Base class of an account's secrets; `repr` shows none of them."""

    def __repr__(self) -> str:
        """Show the class's name alone."""
        return f"{type(self).__name__}()"

    __str__ = __repr__


class SmsAccount(AccountPart):
    """An account at a provider of text messages with Twilio's API."""

    account_sid: str = Field(pattern=r"^AC[0-9a-f]{32}$", description="the provider's id of the account")
    numbers: tuple[OwnNumber, ...] = Field(
        default=(), max_length=1_000, description="numbers of ours that are written to: +14155550199, or a short code"
    )
    messaging_services: tuple[ServiceSid, ...] = Field(
        default=(), max_length=100, description="messaging services whose numbers are written to"
    )
    public_url: str = Field(
        pattern=r"^https?://[^\s?#/][^\s?#]{0,500}$",
        description="the gateway as the provider calls it, without a slash at the end: https://gate.example.com",
    )
    api_key_sid: str | None = Field(
        default=None, pattern=r"^SK[0-9a-f]{32}$", description="API key to send with; unset: the account's auth token"
    )
    api_url: str = Field(
        default="https://api.twilio.com",
        pattern=r"^https?://[^\s?#/][^\s?#]{0,500}$",
        description="base URL of the provider's API; without encryption on loopback alone",
    )
    segments_max: int = Field(
        default=10, ge=1, le=100, description="segments of one reply; what is longer is sent to whoever answers MORE"
    )
    validity_seconds: int = Field(
        default=600, ge=1, le=36_000, description="how long the provider may try to deliver a message"
    )

    @field_validator("public_url", "api_url")
    @classmethod
    def _ends_without_a_slash(cls, value: str) -> str:
        if value.endswith("/"):
            raise ValueError("give it without a slash at the end")
        return value


class SmsSecrets(AccountSecrets):
    """What a provider of text messages signs with, and what we send with."""

    auth_token: Secret = Field(description="signs webhooks; sends, where there is no API key")
    api_key_secret: Secret | None = Field(default=None, description="of the API key that api_key_sid names")
    shared_keys: dict[Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,64}$")], Secret] = Field(
        default_factory=dict, max_length=20, description="keys of webhook rules, by id, that sign with HMAC_SHA256"
    )


class EmailAccount(AccountPart):
    """A mailbox, or several of one domain."""

    addresses: tuple[OwnAddress, ...] = Field(min_length=1, max_length=100, description="addresses that are written to")
    domain: str = Field(pattern=r"^[a-z0-9.-]{1,253}$", description="the domain of Message-IDs and of bounces")
    authserv_id: str | None = Field(
        default=None, pattern=r"^[\x21-\x7e]{1,253}$", description="how our own MTA names itself in its results"
    )
    authserv_hops: int = Field(
        default=0, ge=0, le=5, description="Received fields that our own servers write over their results"
    )
    relay_host: HostName | None = Field(default=None, description="SMTP server that takes what we send")
    relay_port: int = Field(default=587, ge=1, le=65_535)
    relay_security: Literal["starttls", "tls", "none"] = Field(
        default="starttls", description="none: on loopback alone"
    )
    relay_user: str | None = Field(default=None, max_length=320, pattern=r"^[^\x00-\x1f\x7f]+$")
    inbound_providers: tuple[Literal["sendgrid", "mailgun", "postmark"], ...] = Field(
        default=(), description="whose webhooks bring mail in"
    )

    @field_validator("domain")
    @classmethod
    def _leaves_room_for_ids(cls, value: str) -> str:
        shortest = ".".join(value.split(".")[-2:])
        if len(shortest) > MESSAGE_ID_DOMAIN_CHARACTERS_MAX:
            raise ValueError(
                f"{shortest} has {len(shortest)} characters, and a Message-ID has room for "
                f"{MESSAGE_ID_DOMAIN_CHARACTERS_MAX}; give a shorter domain of yours"
            )
        return value

    @model_validator(mode="after")
    def _is_encrypted_beyond_loopback(self) -> Self:
        if self.relay_host is not None and self.relay_security == "none" and self.relay_host not in LOOPBACK_HOSTS:
            raise ValueError(
                "relay_security=none sends mails and passwords in clear, which is for a relay on loopback alone "
                f"({', '.join(sorted(LOOPBACK_HOSTS))}); use starttls or tls"
            )
        return self


class EmailSecrets(AccountSecrets):
    """What we log in with at a relay, and what providers of inbound mail sign with."""

    relay_password: Secret | None = None
    sendgrid_public_key: Secret | None = Field(default=None, description="ECDSA, base64 of its DER form")
    mailgun_signing_key: Secret | None = None
    postmark_password: Secret | None = Field(default=None, description="of Basic authentication, `user:password`")


AccountSettings = SmsAccount | EmailAccount
AnySecrets = SmsSecrets | EmailSecrets

SETTINGS_OF: Final[dict[str, type[AccountSettings]]] = {"sms": SmsAccount, "email": EmailAccount}
SECRETS_OF: Final[dict[str, type[AnySecrets]]] = {"sms": SmsSecrets, "email": EmailSecrets}
ACCOUNT_CHANNELS: Final[tuple[Channel, ...]] = ("sms", "email")


_SECRETS_OF_PROVIDERS: Final = {
    "sendgrid": "sendgrid_public_key",
    "mailgun": "mailgun_signing_key",
    "postmark": "postmark_password",
}


def secrets_needed(channel: Channel, settings: Mapping[str, Any]) -> list[str]:
    """Name the secrets that an account with these settings cannot work without, whether or not they are valid."""
    if channel == "sms":
        return ["auth_token", *(["api_key_secret"] if settings.get("api_key_sid") else [])]
    providers = settings.get("inbound_providers") or ()
    wanted = ["relay_password"] if settings.get("relay_user") else []
    return wanted + [secret for provider, secret in _SECRETS_OF_PROVIDERS.items() if provider in providers]


class InvalidAccount(FteError):
    """Settings or secrets of an account that cannot be taken, all problems at once, without any value."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("this account cannot be taken:\n" + "\n".join(f"  {problem}" for problem in problems))
        self.problems = problems


def check_account(
    channel: Channel, settings: dict[str, Any], secrets: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Check what somebody hands in for an account, and return settings and secrets as they are stored.

    Raises InvalidAccount naming every wrong field, without values. A field of another name is a mistake here;
    `read_account` passes over it, for a newer release may have written it.
    """
    problems = []
    checked = []
    for model, given in ((SETTINGS_OF[channel], settings), (SECRETS_OF[channel], secrets)):
        try:
            checked.append(model.model_validate(given, extra="forbid").model_dump(mode="json", exclude_unset=True))
        except ValidationError as error:
            problems += [_describe(detail, model) for detail in error.errors(include_url=False)]
    if problems:
        raise InvalidAccount(problems)
    return checked[0], checked[1]


def read_account(channel: Channel, settings: dict[str, Any], secrets: dict[str, Any]) -> tuple[Any, Any]:
    """Read stored settings and secrets; raises InvalidAccount for what this release cannot read."""
    try:
        return SETTINGS_OF[channel].model_validate(settings), SECRETS_OF[channel].model_validate(secrets)
    except ValidationError as error:
        raise InvalidAccount([_describe(detail, None) for detail in error.errors(include_url=False)]) from None


def _describe(detail: Any, model: type[BaseModel] | None) -> str:
    place = ".".join(str(part) for part in detail["loc"])
    if detail["type"] == "extra_forbidden" and model is not None:
        return f"{place}: no such field; there are {', '.join(sorted(model.model_fields))}"
    return f"{place}: {str(detail['msg']).removeprefix('Value error, ')}"
