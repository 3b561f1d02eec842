"""Write a reply as a mail: headers that keep the customer's thread, the text, and the same text as plain HTML.

What is written is ASCII (RFC 5322 and MIME), with lines of at most 998 octets, and the same bytes for the same input.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass, field
from datetime import UTC
from email.contentmanager import raw_data_manager
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import Compat32
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any, Final

import idna

from producer.channels.email.html_text import write_html
from runtime.telemetry.logs import redact
from schema.errors import FteError

if TYPE_CHECKING:
    from producer.channels.email.tokens import MailTokens
    from schema.ids import ConversationKey
    from schema.messages.reply import Reply

SUBJECT_CHARACTERS_MAX: Final = 200
NAME_CHARACTERS_MAX: Final = 100

REFERENCES_ENDS: Final = 10
"""Ids kept at each end of References; those in the middle are left out of a long thread."""

ID_CHARACTERS_MAX: Final = 500
"""Longest Message-ID of somebody else that is repeated: with its header's name it fits into a line."""

ADDRESS_CHARACTERS_MAX: Final = 254
"""Longest address (RFC 5321, 4.5.3.1.3)."""

_LINE_OCTETS_MAX: Final = 998
_BODY_COLUMNS: Final = 76
_ID: Final = re.compile(r"<[!-;=?-~]+>")
# "Re:" as mail programs write it in a dozen languages, also counted: "Re[2]:".
_REPLY_MARK: Final = re.compile(
    r"(?:re|aw|antw|antwort|sv|vs|rif|r|odp|ynt|res|rv|回复|回覆|答复|答覆)(?:\s?[\[(]\d{1,3}[\])])?\s?[:\uff1a]\s*",
    re.IGNORECASE,
)
_ADDRESS: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[^\s<>@\"]{1,253}")
_IN_BRACKETS: Final = re.compile(r"[^\n]*<([^<>]*)>\s*")
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_LINE_ENDS: Final = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


class Unmailable(FteError):
    """A reply that no mail can be made of; the text says why, without the customer's address."""


@dataclass(frozen=True)
class AnsweredMail:
    """What is known of the mail that a reply answers; all of it was written by a stranger."""

    message_id: str = ""
    references: str = ""
    """Ids of the thread before it, oldest first, as the header had them."""
    subject: str = ""


@dataclass(frozen=True)
class OwnMailbox:
    """Whose mails these are: the brand, its address and the tokens of its account."""

    brand: str
    address: str
    tokens: MailTokens = field(repr=False)

    @property
    def domain(self) -> str:
        """Return the domain of the mailbox's address."""
        return self.address.rpartition("@")[2]


@dataclass(frozen=True)
class ComposedMail:
    """A mail as it is handed to a relay."""

    message_id: str
    sender: str
    """The envelope's sender, to which bounces go."""
    recipient: str
    content: bytes = field(repr=False)


def compose_mail(
    reply: Reply, key: ConversationKey, mailbox: OwnMailbox, answered: AnsweredMail, *, is_from_human: bool
) -> ComposedMail:
    """Compose the mail of a reply.

    A bot's carries what keeps other programs from answering it (RFC 3834, MS-OXCMAIL 2.1.3.2.20); a person's does not.
    Raises Unmailable for a recipient that no mail can be sent to.
    """
    recipient = recipient_of(reply.recipient)
    message_id = mailbox.tokens.message_id_for(reply.reply_id, mailbox.domain)
    name = clean_name(mailbox.brand)
    headers: dict[str, str | Header] = {
        "Date": format_datetime(reply.created_at.astimezone(UTC)),
        "From": _address(name, mailbox.address),
        "To": _address("", recipient),
        "Reply-To": _address(name, mailbox.tokens.address_for(mailbox.address, key)),
        "Subject": _unstructured(reply_subject(answered.subject, name)),
        "Message-ID": message_id,
        **_thread_headers(answered),
    }
    if not is_from_human:
        headers |= {"Auto-Submitted": "auto-replied", "X-Auto-Response-Suppress": "OOF, AutoReply"}
    return ComposedMail(
        message_id,
        mailbox.tokens.bounce_address_for(reply.reply_id, mailbox.domain),
        recipient,
        _write(headers, clean_text(reply.text), hashlib.sha256(message_id.encode()).hexdigest()[:24]),
    )


def recipient_of(sender: str) -> str:
    """Return the address of a customer as mail systems take it: no name, its domain in ASCII and lower case.

    Raises Unmailable where there is none, or where it needs SMTPUTF8 (RFC 6531).
    """
    bracketed = _IN_BRACKETS.fullmatch(sender)
    address = (bracketed[1] if bracketed else sender).strip()
    local_part, _, domain = address.rpartition("@")
    if not domain.isascii():
        try:
            domain = idna.encode(domain, uts46=True, transitional=False).decode()
        except idna.IDNAError:
            raise Unmailable("the customer's address has a domain that is none") from None
    address = f"{local_part}@{domain.lower()}"
    if len(address) > ADDRESS_CHARACTERS_MAX or not _ADDRESS.fullmatch(address):
        raise Unmailable("the customer's address is none that mail can be sent to: local@domain, the first in ASCII")
    return address


def reply_subject(subject: str, brand: str) -> str:
    """Return the subject of an answer: `Re: ` once, and what the customer wrote, on one line.

    Card numbers and whatever else a log would not show are left out.
    """
    rest = redact(_on_one_line(subject))
    while mark := _REPLY_MARK.match(rest):
        rest = rest[mark.end() :]
    if not rest:
        return f"Your message to {brand}" if brand else "Your message to us"
    return "Re: " + rest[:SUBJECT_CHARACTERS_MAX].rstrip()


def clean_name(name: str) -> str:
    """Return a display name without quotation marks and what cannot be seen, of at most 100 characters."""
    return _on_one_line(name.replace('"', "").replace("<", "").replace(">", ""))[:NAME_CHARACTERS_MAX].rstrip()


def clean_text(text: str) -> str:
    """Return a reply's text with a line feed at each end of a line, and without control characters but tabs."""
    return _CONTROLS.sub("", _LINE_ENDS.sub("\n", text)).strip("\n") + "\n"


def thread_of(answered: AnsweredMail) -> list[str]:
    """Return the ids that stand in References, oldest first: those of the mail's thread, and its own last.

    Ids that cannot be repeated safely are left out, and so is the middle of a long thread.
    """
    ids = dict.fromkeys(each for each in _ids_in(answered.references))
    own = _ids_in(answered.message_id)[:1]
    thread = [each for each in ids if each not in own] + own
    if len(thread) > 2 * REFERENCES_ENDS:
        thread = thread[:REFERENCES_ENDS] + thread[-REFERENCES_ENDS:]
    return thread


def _thread_headers(answered: AnsweredMail) -> dict[str, str]:
    thread = thread_of(answered)
    own = _ids_in(answered.message_id)[:1]
    headers = {"In-Reply-To": own[0]} if own else {}
    return headers | ({"References": " ".join(thread)} if thread else {})


def _ids_in(header: str) -> list[str]:
    # "=?" would be read as an encoded word (RFC 2047), and written as something else.
    return [each for each in _ID.findall(header) if len(each) <= ID_CHARACTERS_MAX and "=?" not in each]


def _on_one_line(text: str) -> str:
    """Return a text on one line, without what cannot be seen, and so that no part of it is an encoded word."""
    visible = "".join(" " if unicodedata.category(each) in _INVISIBLE else each for each in text)
    return " ".join(visible.replace("=?", "= ?").split())


def _address(name: str, address: str) -> Header:
    if name.isascii():
        local_part, _, domain = address.rpartition("@")
        return Header(str(Address(name, local_part, domain)), "us-ascii")
    header = Header(name, "utf-8")
    header.append(f"<{address}>", "us-ascii")
    return header


def _unstructured(text: str) -> Header:
    if text.isascii():
        return Header(text, "us-ascii")
    header = Header(charset="utf-8")
    mark = "Re: " if text.startswith("Re: ") else ""  # in clear, for whoever looks for it without decoding
    if mark:
        header.append(mark.strip(), "us-ascii")
    header.append(text.removeprefix(mark), "utf-8")
    return header


class _MailPolicy(Compat32):
    """Folds as RFC 5322 wants it at 78 columns, but headers of ids and of addresses only at 998.

    So an id or an address stands on one line, where simple programs look for it, however long it is (each of Outlook's
    has more than 77 characters). Words beyond ASCII must stay short (RFC 2047). The newer policies of the standard
    library turn a long id into an encoded word, and lose a blank here and there when they fold long names.
    """

    _WIDE: Final = Compat32(linesep="\r\n", max_line_length=_LINE_OCTETS_MAX)
    _NARROW: Final = Compat32(linesep="\r\n", max_line_length=78)
    _OF_IDS: Final = frozenset({"message-id", "in-reply-to", "references"})
    _OF_ADDRESSES: Final = frozenset({"from", "to", "reply-to"})

    def fold_binary(self, name: str, value: Any) -> bytes:
        """Fold a header for a mail in bytes."""
        is_wide = name.lower() in self._OF_IDS or (name.lower() in self._OF_ADDRESSES and str(value).isascii())
        return (self._WIDE if is_wide else self._NARROW).fold_binary(name, value)


_POLICY: Final = _MailPolicy(linesep="\r\n", max_line_length=_BODY_COLUMNS, cte_type="7bit")


def _write(headers: dict[str, str | Header], text: str, boundary: str) -> bytes:
    mail = EmailMessage(policy=_POLICY)
    for name, value in headers.items():
        mail[name] = value
    mail.set_content(text, charset="utf-8", content_manager=raw_data_manager)
    mail.add_alternative(write_html(text), subtype="html", charset="utf-8", content_manager=raw_data_manager)
    mail.set_boundary(boundary)
    return mail.as_bytes()
