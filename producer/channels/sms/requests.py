"""Read a provider's webhooks: a text message that came in, and what became of one that went out."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from schema.messages.inbound import METADATA_VALUE_CHARACTERS_MAX, TEXT_CHARACTERS_MAX, Inbound
from schema.messages.unanswered import UNANSWERED_KEY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schema.channel_accounts import SmsAccount

MEDIA_MAX: Final = 10
"""Attachments of one message that are named."""

_MESSAGE_SID: Final = re.compile(r"(SM|MM)[0-9a-f]{32}")
_SENDER: Final = re.compile(r"[\x21-\x7e]{1,80}")
_MEDIA_TYPE: Final = re.compile(r"[a-z]{1,20}/[a-z0-9.+-]{1,60}")

STATUS_RANKS: Final[dict[str, int]] = {
    "accepted": 0,
    "scheduled": 0,
    "queued": 1,
    "sending": 2,
    "sent": 3,
    "delivered": 4,
    "undelivered": 4,
    "failed": 4,
    "canceled": 4,
    "read": 5,
}
"""How far each state is; a message's only moves up, since callbacks come in any order. A state of another name is 0."""

NOT_DELIVERED: Final = frozenset({"undelivered", "failed", "canceled"})


class ForeignMessage(ValueError):
    """A request about another account, or to a number or service that is not this account's."""


@dataclass(frozen=True)
class TextMessage:
    """A text message that came in."""

    message_sid: str
    own_address: str
    """The number of ours that it was sent to."""
    own_group: str | None
    """The messaging service that the number is in."""
    sender: str = field(repr=False)
    text: str = field(repr=False)
    opt_out: str | None
    """STOP, START or HELP, where the provider says so."""
    media: tuple[str, ...] = ()
    """Types of what was attached; it is not fetched."""


@dataclass(frozen=True)
class StatusReport:
    """What became of a message that went out, as the provider tells it."""

    message_sid: str
    status: str
    rank: int
    error_code: str | None


def read_text_message(parameters: Mapping[str, str], account: SmsAccount) -> TextMessage:
    """Read an inbound message; raises ForeignMessage, and ValueError for one without an id or a sender."""
    _check_account(parameters, account)
    own, group = parameters.get("To", ""), parameters.get("MessagingServiceSid") or None
    if own not in account.numbers and group not in account.messaging_services:
        raise ForeignMessage("sent to a number, or a messaging service, of another account")
    sender = parameters.get("From", "")
    if not _SENDER.fullmatch(sender):
        raise ValueError("no sender that could be answered")
    media = _media_in(parameters)
    return TextMessage(
        message_sid=_sid_in(parameters),
        own_address=own,
        own_group=group,
        sender=sender,
        text=parameters.get("Body", ""),
        opt_out=parameters.get("OptOutType") or None,
        media=media,
    )


def read_status(parameters: Mapping[str, str], account: SmsAccount) -> StatusReport:
    """Read a status callback; raises ForeignMessage, and ValueError for one without an id or a state."""
    _check_account(parameters, account)
    status = parameters.get("MessageStatus") or parameters.get("SmsStatus") or ""
    if not re.fullmatch(r"[a-z_]{1,40}", status):
        raise ValueError("no state")
    code = parameters.get("ErrorCode") or None
    if code is not None and not re.fullmatch(r"[0-9]{1,10}", code):
        code = None
    return StatusReport(_sid_in(parameters), status, STATUS_RANKS.get(status, 0), code)


def write_inbound(message: TextMessage, tenant: str, conversation: str, *, unanswered: str | None = None) -> Inbound:
    """Return the message as the product takes it.

    It does not vouch for the sender: the number in From is whatever the sending network says, and no proof. What is
    attached is named in the text, so that neither an agent nor a person overlooks it, and its address goes nowhere.
    `unanswered` says why the bot is not to answer it.
    """
    metadata = {"sms.to": message.own_address}
    if unanswered is not None:
        metadata[UNANSWERED_KEY] = unanswered
    if message.own_group is not None:
        metadata["sms.service"] = message.own_group
    if message.media:
        metadata["sms.media"] = ",".join(message.media)[:METADATA_VALUE_CHARACTERS_MAX]
    return Inbound(
        message_id=message.message_sid,
        tenant=tenant,
        conversation=conversation,
        channel="sms",
        sender=message.sender,
        text=text_of(message),
        metadata=metadata,
    )


def text_of(message: TextMessage) -> str:
    """Return what a message says, with what is attached named in it."""
    text = message.text.replace("\x00", "").encode("utf-8", "replace").decode().strip()[:TEXT_CHARACTERS_MAX]
    if not message.media:
        return text or "(an empty message)"
    count = len(message.media)
    named = f"[{count} attachment{'' if count == 1 else 's'}, not opened: {', '.join(message.media)}]"
    return f"{text[: TEXT_CHARACTERS_MAX - len(named) - 1]}\n{named}".strip()


def _check_account(parameters: Mapping[str, str], account: SmsAccount) -> None:
    if parameters.get("AccountSid") != account.account_sid:
        raise ForeignMessage("of another account")


def _sid_in(parameters: Mapping[str, str]) -> str:
    sid = parameters.get("MessageSid") or parameters.get("SmsSid") or ""
    if not _MESSAGE_SID.fullmatch(sid):
        raise ValueError("no message id")
    return sid


def _media_in(parameters: Mapping[str, str]) -> tuple[str, ...]:
    counted = parameters.get("NumMedia", "0")
    count = min(int(counted), MEDIA_MAX) if re.fullmatch(r"[0-9]{1,3}", counted) else 0
    types = (parameters.get(f"MediaContentType{number}", "").lower() for number in range(count))
    return tuple(found if _MEDIA_TYPE.fullmatch(found) else "unknown" for found in types)
