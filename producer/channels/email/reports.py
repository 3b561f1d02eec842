"""Read what mail systems report about a mail of ours: it failed, is delayed or has arrived, or somebody complains.

A report is believed only about a mail whose token it carries: in the address it was sent to (`bounces+<token>@`), or in
the Message-ID of what it returns. Anybody can write the rest of it.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from email import message_from_bytes
from typing import TYPE_CHECKING, Final, Literal

from flufl.bounce import all_failures

from producer.channels.email.charsets import decode_transfer
from producer.channels.email.header_fields import Fields, read_fields

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from producer.channels.email.raw_mail import Part
    from producer.channels.email.tokens import MailTokens

MailReportKind = Literal["failed", "delayed", "delivered", "complaint"]

DEAD_ADDRESS: Final = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"})
"""Enhanced codes (RFC 3463, RFC 7505) of an address that no mail will ever reach: it is not written to again.

A bare 550 is not among them: mail systems say that of policy as well.
"""

REPORT_BYTES_MAX: Final = 64 * 1024
"""How much is read of a part that reports, or that comes back."""

ODD_BYTES_MAX: Final = 16 * 1024
"""How much the detectors of other bounces are given: what happened stands at the beginning, and some are not linear."""

BLOCKS_MAX: Final = 50
"""Blocks of a delivery status that are read: the first is of the mail, each other of a recipient."""

_STATUS: Final = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
_EMPTY_RUNS: Final = re.compile(rb"\n(?:[ \t]*\n){2,}")
_EMPTY_LINES: Final = re.compile(rb"\n[ \t]*\n")
_MESSAGE_ID: Final = re.compile(
    rb"^(?:X-)?(?:Original-)?Message-ID:[ \t]*(?:\n[ \t]+)?(<[^<>\s]{1,100}>)", re.IGNORECASE | re.MULTILINE
)
_RECIPIENT_FIELDS: Final = ("to", "delivered-to", "x-original-to", "envelope-to")
_RETURNED: Final = frozenset({"message/rfc822", "text/rfc822-headers", "message/rfc822-headers", "message/global"})
_REPORTS: Final = ("message/feedback-report", "message/delivery-status", "message/global-delivery-status")
_MAIL_SYSTEM: Final = re.compile(r"mailer-?daemon|mail-?daemon|mdaemon|postmaster|mail-?administrator", re.IGNORECASE)
_MAILS_WITHIN_MAX: Final = 5
_WORST_FIRST: Final[tuple[MailReportKind, ...]] = ("failed", "delayed", "delivered")


@dataclass(frozen=True)
class MailReport:
    """What a mail system says about a mail of ours."""

    reply_id: str
    kind: MailReportKind
    status: str | None = None
    """The enhanced status code (RFC 3463), where it names one."""

    @property
    def is_dead_address(self) -> bool:
        """Check whether the address will never take a mail."""
        return self.kind == "failed" and self.status in DEAD_ADDRESS


def read_report(root: Part, raw: bytes, recipients: Sequence[str], tokens: MailTokens) -> MailReport | None:
    """Read a report about a mail of ours; None for any other mail, and for one that nothing shows to be about ours.

    `root` is the mail as it was split, `raw` its bytes; `recipients` are those of the envelope. Takes linear time, and
    raises nothing.
    """
    parts = {str(part.fields.content): part for part in reversed(list(root.walk()))}
    told = next((parts[kind] for kind in _REPORTS if kind in parts), None)
    if told is None and not _is_from_a_mail_system(root):
        return None  # such as an answer to a mail of ours, which quotes it
    reply_id = _reply_reported_on(root, recipients, tokens)
    if reply_id is None:
        return None
    if told is None:
        return _read_other(reply_id, root, raw)
    if told.fields.content.sub == "feedback-report":
        return _read_complaint(reply_id, told)
    return _read_delivery_status(reply_id, told)


def _is_from_a_mail_system(root: Part) -> bool:
    senders = root.fields.addresses("from")
    return root.fields.has("x-failed-recipients") or any(_MAIL_SYSTEM.fullmatch(found.local) for found in senders)


def _reply_reported_on(root: Part, recipients: Sequence[str], tokens: MailTokens) -> str | None:
    """Return the reply that a mail is about, by the tokens that only we issue."""
    sent_to = [found.address for name in _RECIPIENT_FIELDS for found in root.fields.addresses(name)]
    for address in (*recipients, *sent_to):
        if reply_id := tokens.read_bounce_address(address):
            return reply_id
    return next((found for each in _returned_ids(root) if (found := tokens.read_message_id(each))), None)


def _returned_ids(root: Part) -> Iterator[str]:
    """Give the ids of mails that come back within a mail; in a report of text alone (qmail's) it is quoted there."""
    for part in root.walk():
        content = part.fields.content
        if str(content) in _RETURNED or content.main == "text":
            for found in _MESSAGE_ID.finditer(_body_of(part)):
                yield found[1].decode("ascii", "replace")


def _read_complaint(reply_id: str, part: Part) -> MailReport | None:
    """Read a complaint (RFC 5965); other feedback, such as that a mail is no spam, is none."""
    fields = read_fields(_body_of(part))
    kind = fields.first("feedback-type").strip().lower()
    return MailReport(reply_id, "complaint") if kind in {"abuse", "fraud", "opt-out", "opt-out-list", "other"} else None


def _read_delivery_status(reply_id: str, part: Part) -> MailReport | None:
    """Read a delivery status (RFC 3464): of several recipients' the worst counts, for a mail of ours had one."""
    blocks = _EMPTY_LINES.split(_body_of(part).strip(), maxsplit=BLOCKS_MAX)
    found: dict[MailReportKind, str | None] = {}
    for block in blocks[:BLOCKS_MAX]:
        fields = read_fields(block)
        if kind := _kind_of(fields):
            found.setdefault(kind, _status_of(fields))
    return next((MailReport(reply_id, kind, found[kind]) for kind in _WORST_FIRST if kind in found), None)


def _kind_of(fields: Fields) -> MailReportKind | None:
    """Return what a recipient's block says, None for the block of the mail, and for a mail that was only passed on."""
    action = fields.first("action").strip().lower()
    if action.startswith(("fail", "error")):
        return "failed"
    if action.startswith("delay"):
        return "delayed"
    if action.startswith("delivered"):
        return "delivered"
    if not action and fields.has("final-recipient"):
        return "failed" if fields.first("status").strip().startswith("5") else None
    return None


def _status_of(fields: Fields) -> str | None:
    """Return the status of a recipient; one that says nothing (5.0.0) is read from the diagnostic instead."""
    told = _STATUS.search(fields.first("status"))
    if told and not told[1].endswith(".0.0"):
        return told[1]
    shown = _STATUS.search(fields.first("diagnostic-code"))
    found = shown or told
    return found[1] if found else None


def _read_other(reply_id: str, root: Part, raw: bytes) -> MailReport | None:
    """Read a bounce that has no delivery status, by the forms that Mailman's detectors know."""
    failed = root.fields.first("x-failed-recipients")
    text = b"\n".join(_body_of(part) for part in root.walk() if part.fields.content.main == "text")[:REPORT_BYTES_MAX]
    shown = _STATUS.search(text.decode("utf-8", "replace"))
    status = shown[1] if shown and shown[1].startswith("5") else None
    if failed:
        return MailReport(reply_id, "failed", status)
    beginning = _EMPTY_RUNS.sub(b"\n\n", raw[:ODD_BYTES_MAX].replace(b"\r\n", b"\n"))
    if beginning.lower().count(b"message/rfc822") > _MAILS_WITHIN_MAX:
        return None  # too much for a parser that goes into every mail within a mail
    with suppress(Exception):  # a detector may fall over what a stranger wrote: then it detects nothing
        delayed, gone = all_failures(message_from_bytes(beginning))
        if gone:
            return MailReport(reply_id, "failed", status)
        if delayed:
            return MailReport(reply_id, "delayed")
    return None


def _body_of(part: Part) -> bytes:
    """Return the beginning of a part, decoded, its lines ending in LF."""
    encoding = part.fields.first("content-transfer-encoding").partition(";")[0]
    decoded = decode_transfer(part.body[: 2 * REPORT_BYTES_MAX], encoding)[:REPORT_BYTES_MAX]
    return decoded.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
