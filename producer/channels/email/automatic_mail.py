"""Tell which mails are never answered: automatic replies, bulk mail, bounces, and mails of our own.

An answer to one would be answered automatically again, for ever, or annoy a whole list. Each rule names the sign that
it goes by; the table is RFC 3834, RFC 2369, RFC 2919 and what mail programs do in practice.

`X-Auto-Response-Suppress` is no sign: Exchange stamps it on what people write.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple

from producer.channels.email.header_fields import decode_words
from runtime.patterns import load_patterns

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from producer.channels.email.header_fields import Fields
    from producer.channels.email.mail_reading import Mail
    from producer.channels.email.tokens import MailTokens
    from schema.messages.unanswered import SilentReason

_BULK: Final = re.compile(r"\s*(?:bulk|list|junk|auto[_-]?reply)\b", re.IGNORECASE)
_AUTOMATIC_LOCAL: Final = re.compile(
    r"mailer-?daemon|postmaster|mail-?daemon|(?:.*[._+-])?(?:no|do[._-]?not|don-?t)[._-]?reply(?:[._+-].*)?|"
    r"bounces?(?:[._+-].*)?|.*[._+-]bounces?|.+-request|owner-.+|.+-owner|majordomo|listserv|auto-?(?:reply|responder|"
    r"confirm)(?:[._+-].*)?|nicht-?antworten|ne-?pas-?repondre|no-?responder|noresponder",
    re.IGNORECASE,
)
_LIST_FIELDS: Final = (
    *("list-id", "list-unsubscribe", "list-unsubscribe-post", "list-post", "list-help", "list-subscribe"),
    *("list-owner", "list-archive", "mailing-list", "x-mailman-version", "x-mailing-list", "feedback-id"),
    *("x-listname", "x-list-id", "x-campaign-id", "x-campaignid", "x-mailer-sid"),
)
_MACHINE_FIELDS: Final = (
    *("x-autoreply", "x-auto-reply", "x-autorespond", "x-autoresponder", "x-autoreply-from", "x-auto-generated"),
    *("x-loop", "x-failed-recipients", "x-ms-exchange-inbox-rules-loop", "x-mail-autoreply", "x-away-message"),
    *("x-ms-exchange-generated-message-source", "x-vacation", "x-cron-env", "x-github-reason", "auto-response"),
)
_REPORTS: Final = frozenset({"message/delivery-status", "message/disposition-notification", "message/feedback-report"})
_SPAM: Final = re.compile(r"\s*yes\b", re.IGNORECASE)


class Arrival(NamedTuple):
    """What is known of a mail beside its bytes."""

    envelope_sender: str | None
    """The address to which bounces go; empty: none (`<>`); None: whoever handed the mail in does not tell."""
    own_addresses: Collection[str]
    """Addresses of the mailbox that it came to, in lower case."""
    tokens: MailTokens


class Sign(NamedTuple):
    """By what a mail is known as one that is never answered."""

    reason: SilentReason
    """Stored, shown and counted."""
    sign: str
    """The field or the address that shows it."""


def find_sign(mail: Mail, arrival: Arrival) -> Sign | None:
    """Return why a mail is never answered, None for one that is to be answered."""
    return next((found for rule in RULES if (found := rule(mail, arrival)) is not None), None)


def is_report(fields: Fields) -> bool:
    """Check whether a mail reports on another one: of its delivery, of having been read, of a complaint."""
    content = fields.content
    return str(content) in _REPORTS or str(content) == "multipart/report"


def _report(mail: Mail, _: Arrival) -> Sign | None:
    return Sign("bounce", f"Content-Type {mail.fields.content}") if is_report(mail.fields) else None


def _loop(mail: Mail, arrival: Arrival) -> Sign | None:
    """Know a mail of our own: by who sent it, or by an id that only we give."""
    for name in ("from", "sender", "reply-to", "return-path"):
        for found in mail.fields.addresses(name):
            if _without_plus(found.address) in arrival.own_addresses:
                return Sign("mail_loop", name.title())
    if _without_plus(arrival.envelope_sender or "") in arrival.own_addresses:
        return Sign("mail_loop", "envelope sender")
    if arrival.tokens.read_message_id(mail.message_id) is not None:
        return Sign("mail_loop", "Message-ID")
    return None


def _empty_sender(mail: Mail, arrival: Arrival) -> Sign | None:
    """Know a mail to which nothing is to be sent back (RFC 5321, 4.5.5): its envelope has no sender."""
    if arrival.envelope_sender == "" or mail.fields.first("return-path").strip() == "<>":
        return Sign("automatic_reply", "empty envelope sender")
    return None


def _auto_submitted(mail: Mail, _: Arrival) -> Sign | None:
    for value in mail.fields.every("auto-submitted"):
        if re.split(r"[\s;(]", value.strip().lower(), maxsplit=1)[0] != "no":
            return Sign("automatic_reply", "Auto-Submitted")
    return None


def _machine(mail: Mail, _: Arrival) -> Sign | None:
    return next((Sign("automatic_reply", name.title()) for name in _MACHINE_FIELDS if mail.fields.has(name)), None)


def _list(mail: Mail, _: Arrival) -> Sign | None:
    return next((Sign("bulk_mail", name.title()) for name in _LIST_FIELDS if mail.fields.has(name)), None)


def _precedence(mail: Mail, _: Arrival) -> Sign | None:
    if any(_BULK.match(value) for value in mail.fields.every("precedence")):
        return Sign("bulk_mail", "Precedence")
    return None


def _spam(mail: Mail, _: Arrival) -> Sign | None:
    return Sign("spam", "X-Spam-Flag") if any(map(_SPAM.match, mail.fields.every("x-spam-flag"))) else None


def _role(mail: Mail, arrival: Arrival) -> Sign | None:
    """Know a mail by the name of whom it is from: nobody reads what is sent to `noreply` or `mailer-daemon`."""
    for found in mail.fields.addresses("from"):
        if _AUTOMATIC_LOCAL.fullmatch(found.local):
            return Sign("automatic_reply", "From")
    local = (arrival.envelope_sender or "").rpartition("@")[0]
    if local and _ENVELOPE_LOCAL.fullmatch(local):
        return Sign("automatic_reply", "envelope sender")
    return None


_ENVELOPE_LOCAL: Final = re.compile(r"mailer-?daemon|postmaster|owner-.+|.+-request", re.IGNORECASE)
"""Names in an envelope's sender; bounces go to `bounces+…@` also for what people write through a service."""


def _subject(mail: Mail, _: Arrival) -> Sign | None:
    """Know an absence notice by its subject: Exchange sends it to the outside with no other mark."""
    subject = decode_words(mail.fields.first("subject")).lower().replace("\u2019", "'").strip()
    return Sign("automatic_reply", "Subject") if _pattern("subject").match(subject) else None


RULES: Final[tuple[Callable[[Mail, Arrival], Sign | None], ...]] = (
    _loop,
    _report,
    _empty_sender,
    _auto_submitted,
    _machine,
    _list,
    _precedence,
    _spam,
    _role,
    _subject,
)
"""Every rule, the one that says most first."""


def _without_plus(address: str) -> str:
    local, _, domain = address.lower().rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"


@cache
def _pattern(section: str) -> re.Pattern[str]:
    return re.compile(load_patterns("producer.channels.email", "automatic_mail.patterns")[section])
