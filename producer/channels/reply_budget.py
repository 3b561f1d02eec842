"""Decide whether one more message of somebody is answered: bounds that end a loop of machines, whatever they say."""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from schema.messages.unanswered import PersonReason, SilentReason
    from schema.settings.answers import MailAnswerSettings, SmsAnswerSettings

PUBLIC_DOMAINS: Final = frozenset(
    {"gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "msn.com", "yahoo.com", "ymail.com"}
    | {"aol.com", "icloud.com", "me.com", "mac.com", "gmx.de", "gmx.net", "gmx.at", "gmx.ch", "gmx.com", "web.de"}
    | {"t-online.de", "freenet.de", "posteo.de", "mailbox.org", "proton.me", "protonmail.com", "pm.me", "mail.com"}
    | {"yahoo.co.uk", "yahoo.fr", "yahoo.de", "yahoo.es", "yahoo.it", "yahoo.co.jp", "yahoo.com.br", "hotmail.co.uk"}
    | {"hotmail.fr", "hotmail.de", "hotmail.es", "hotmail.it", "orange.fr", "wanadoo.fr", "free.fr", "laposte.net"}
    | {"sfr.fr", "libero.it", "virgilio.it", "tin.it", "alice.it", "wp.pl", "o2.pl", "onet.pl", "interia.pl"}
    | {"seznam.cz", "centrum.cz", "mail.ru", "yandex.ru", "yandex.com", "qq.com", "163.com", "126.com", "sina.com"}
    | {"naver.com", "daum.net", "hanmail.net", "uol.com.br", "bol.com.br", "terra.com.br", "comcast.net", "att.net"}
    | {"verizon.net", "sbcglobal.net", "bellsouth.net", "btinternet.com", "sky.com", "virginmedia.com", "telia.com"}
    | {"zoho.com", "fastmail.com", "hey.com", "tutanota.com", "tuta.io", "ziggo.nl", "kpnmail.nl", "xs4all.nl"}
)
"""Domains whose addresses belong to strangers of each other; a limit for all of them together would punish many."""

ECHO_REPLIES_MAX: Final = 3
"""Replies of the conversation that a message is compared with."""
QUICK_SECONDS: Final = 5.0
"""Within so long of a reply's departure nobody has read it."""

_TELLING_CHARACTERS_MIN: Final = 20
"""Shorter texts say the same by chance: yes, thank you."""
_WORD: Final = re.compile(r"\w+")

CountKind = Literal["sender", "conversation", "domain", "text"]
"""By what messages are counted: their sender, conversation, sender's domain, and sender together with their words."""


@dataclass(frozen=True, slots=True)
class MessageCount:
    """How many messages of one kind of origin came, the one at hand included."""

    in_hour: int
    in_day: int


class Limit(NamedTuple):
    """How many messages of a kind are answered within an hour, or a day."""

    kind: CountKind
    span: Literal["in_hour", "in_day"]
    maximum: int


def limits_of_mails(settings: MailAnswerSettings) -> tuple[Limit, ...]:
    """Return the limits of mails."""
    return (
        Limit("sender", "in_hour", settings.mail_sender_hour_max),
        Limit("sender", "in_day", settings.mail_sender_day_max),
        Limit("conversation", "in_hour", settings.mail_conversation_hour_max),
        Limit("conversation", "in_day", settings.mail_conversation_day_max),
        Limit("domain", "in_day", settings.mail_domain_day_max),
        Limit("text", "in_hour", settings.mail_repeats_hour_max),
    )


def limits_of_texts(settings: SmsAnswerSettings) -> tuple[Limit, ...]:
    """Return the limits of text messages; a conversation has one sender there."""
    return (
        Limit("sender", "in_hour", settings.sms_sender_hour_max),
        Limit("sender", "in_day", settings.sms_sender_day_max),
        Limit("text", "in_hour", settings.sms_repeats_hour_max),
    )


def judge_budget(
    counts: Mapping[CountKind, MessageCount], limits: Sequence[Limit]
) -> PersonReason | SilentReason | None:
    """Return why a message is not answered, None where it is; `counts` are of the kinds that count for it.

    The first message over a limit gets a ticket, so that a person looks; those after it are silent.
    """
    over = {limit: getattr(counts[limit.kind], limit.span) - limit.maximum for limit in limits if limit.kind in counts}
    exceeded = {limit: number for limit, number in over.items() if number > 0}
    if not exceeded:
        return None
    if max(exceeded.values()) == 1:
        return "reply_budget"
    return "repeated" if {limit.kind for limit in exceeded} == {"text"} else "over_budget"


def words_of(text: str) -> str:
    """Return the words of a text alone, so that two texts that say the same compare as equal."""
    return " ".join(_WORD.findall(text.lower()))


def hash_for_counting(secret: bytes, *parts: str) -> str:
    """Return under what something is counted, such as a sender's words: 64 hex digits, which say nothing of it."""
    return hmac.new(secret, "\0".join(parts).encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def is_telling(text: str) -> bool:
    """Check whether a text is long enough that the same words again are no chance."""
    return len(words_of(text)) >= _TELLING_CHARACTERS_MIN


def is_echo(text: str, replies: Collection[str]) -> bool:
    """Check whether a message says nothing but one of our last replies; what is too short to tell is none."""
    words = words_of(text)
    return is_telling(text) and any(words == words_of(reply) for reply in replies)
