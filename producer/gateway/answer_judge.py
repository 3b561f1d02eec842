"""Judge whether a message that came in is answered: none that only echoes us, and none over a budget."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from producer.channels.reply_budget import (
    ECHO_REPLIES_MAX,
    MessageCount,
    hash_for_counting,
    is_echo,
    judge_budget,
    words_of,
)
from runtime.encoding import parse_json
from schema.errors import Unsealable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from producer.channels.reply_budget import CountKind, Limit
    from runtime.database import Database
    from runtime.sealing import Sealer
    from runtime.sender_keys import SenderKeys
    from schema.ids import ConversationKey
    from schema.messages.unanswered import PersonReason, SilentReason


@dataclass(frozen=True)
class AnswerJudge:
    """Judges the messages of one channel within its limits."""

    database: Database
    sealer: Sealer
    senders: SenderKeys
    limits: Sequence[Limit]

    async def judge(
        self, key: ConversationKey, text: str, counted: Mapping[CountKind, str]
    ) -> PersonReason | SilentReason | None:
        """Count a message that would be answered, and return why it is not to be; None: it is.

        `counted` says under what it counts, by kind: no names in clear, `under` makes hashes of them. PostgreSQL
        counts: while it is away nothing is accepted either, so nothing is answered uncounted.
        """
        rows = await self.database.read(
            key.tenant,
            "find_last_replies",
            tenant=key.tenant,
            conversation=key.conversation,
            rows_max=ECHO_REPLIES_MAX,
        )
        if is_echo(text, [said for row in rows if (said := self._text_in(row["body"])) is not None]):
            return "mail_loop"
        kinds = list(counted)
        rows = await self.database.read(
            key.tenant, "count_mail", tenant=key.tenant, kinds=kinds, counted=[counted[kind] for kind in kinds]
        )
        return judge_budget({row["kind"]: MessageCount(row["in_hour"], row["in_day"]) for row in rows}, self.limits)

    def under(self, tenant: str, kind: CountKind, *parts: str) -> str:
        """Return under what a domain, or a sender's words, are counted."""
        return hash_for_counting(self.senders.derive("mail counts", tenant), kind, *parts)

    def under_words(self, tenant: str, sender_key: str, text: str) -> str:
        """Return under what a sender's words are counted."""
        return self.under(tenant, "text", sender_key, words_of(text))

    def _text_in(self, body: str) -> str | None:
        try:
            text: str = parse_json(self.sealer.open(body))["text"]
        except (Unsealable, KeyError, ValueError):
            return None  # of a key that this process has not, or erased: then nothing is compared
        return text
