"""Count what came of the messages sent: judged by the outbound streams alone, as a gateway sees them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from schema.messages import Escalation, Reply


@dataclass(frozen=True)
class Tally:
    """Hold the sums; the last three are zero in a product that keeps its promises."""

    conversations: int
    messages: int
    replies: int
    escalations: int
    lost: int
    duplicated: int
    out_of_order: int

    @property
    def is_clean(self) -> bool:
        """Say whether nothing was lost, duplicated or out of order."""
        return not (self.lost or self.duplicated or self.out_of_order)

    def __str__(self) -> str:
        """Word the sums as the demo's closing line has them."""
        return (
            f"{self.conversations} conversations, {self.messages} messages, {self.replies} replies, "
            f"{self.escalations} escalations, {self.lost} lost, {self.duplicated} duplicated, "
            f"{self.out_of_order} out of order"
        )


def tally(sent: Mapping[str, Sequence[str]], replies: Sequence[Reply], escalations: Sequence[Escalation]) -> Tally:
    """Judge what the streams held against what was sent.

    `sent` maps a conversation to its message ids in the order accepted; `replies` and `escalations` are entries in the
    order of their streams, repeats included. Lost: a message without a reply. Duplicated: each answer to a message
    beyond its first. Out of order: each reply whose sequence does not follow the one before in its conversation, or
    that answers an earlier message than the one before did.
    """
    ours = [reply for reply in replies if reply.conversation in sent]
    answers = Counter((reply.conversation, message) for reply in ours for message in reply.in_reply_to)
    messages = [(conversation, message) for conversation, ids in sent.items() for message in ids]
    return Tally(
        conversations=len(sent),
        messages=len(messages),
        replies=len(ours),
        escalations=sum(1 for escalation in escalations if escalation.conversation in sent),
        lost=sum(1 for message in messages if not answers[message]),
        duplicated=sum(count - 1 for count in answers.values() if count > 1),
        out_of_order=sum(
            _misplaced([reply for reply in ours if reply.conversation == conversation], list(ids))
            for conversation, ids in sent.items()
        ),
    )


def _misplaced(replies: Sequence[Reply], sent: Sequence[str]) -> int:
    """Count a conversation's replies that are not where they belong; an exact repeat is duplicated, and no more."""
    found = 0
    sequence, place = 0, -1
    seen: set[str] = set()
    for reply in replies:
        if reply.reply_id in seen:
            continue
        seen.add(reply.reply_id)
        places = [sent.index(message) for message in reply.in_reply_to if message in sent]
        if reply.sequence != sequence + 1 or not places or places[0] < place:
            found += 1
        sequence, place = reply.sequence, max([place, *places])
    return found
