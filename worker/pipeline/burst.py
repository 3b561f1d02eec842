"""Gather a burst: messages of one customer that came in a row are answered by one turn, with one reply."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from schema.messages.envelope import Envelope, encode_envelope
from schema.messages.inbound import TEXT_CHARACTERS_MAX
from worker.mailbox.mailbox import Head
from worker.pipeline.hydrate import Undecodable, open_message
from worker.store.approvals import MESSAGE_PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runtime.sealing import Sealer
    from schema.messages.inbound import Inbound
    from schema.settings.turns import BurstSettings
    from worker.pipeline.outcome import OpenedMessage, Snapshot

_ATTEMPTS_TOGETHER_MAX = 2
"""Attempts at a message together with its followers; later ones are without them, should a follower be what fails."""


def gather(
    message: OpenedMessage, snapshot: Snapshot, sealer: Sealer, settings: BurstSettings
) -> tuple[OpenedMessage, float]:
    """Join to a message those that wait behind it, as far as they belong together.

    Returns the message with its followers, and for how many seconds nothing may come before it is answered.

    They belong together when they follow without another between, from one sender on one channel who is vouched for
    alike, came within `burst_seconds_max`, and are no more than `burst_messages_max`, nor longer in all than one
    message may be. The clock is PostgreSQL's: `snapshot` has how long the message has waited.
    """
    if message.attempts > _ATTEMPTS_TOGETHER_MAX or _is_decision(message):
        return message, 0.0
    followers = tuple(_followers_of(message, snapshot, sealer))
    burst = replace(message, followers=followers)
    is_open = (
        len(burst.messages) < settings.burst_messages_max
        and burst.last_position == snapshot.last_position
        and snapshot.waited_seconds < settings.burst_seconds_max
    )
    if not is_open:
        return burst, 0.0
    newest = snapshot.followers[len(followers) - 1]["seconds_after"] if followers else 0.0
    quiet_until = newest + settings.burst_quiet_seconds.get(message.inbound.channel, 0.0)
    quiet_seconds = min(quiet_until, settings.burst_seconds_max) - snapshot.waited_seconds
    return replace(burst, is_open=True), max(0.0, quiet_seconds)


def _followers_of(message: OpenedMessage, snapshot: Snapshot, sealer: Sealer) -> Iterator[OpenedMessage]:
    characters = len(message.inbound.text)
    for place, row in enumerate(snapshot.followers, message.position + 1):
        envelope = Envelope(position=row["position"], message_id=row["message_id"], payload=row["payload"])
        try:
            follower = open_message(sealer, message.key, Head(encode_envelope(envelope).encode(), 1))
        except Undecodable:
            return  # it is given up, or mended, by a turn of its own
        characters += len(follower.inbound.text)
        if follower.position != place or characters > TEXT_CHARACTERS_MAX or not _is_of_one_hand(message, follower):
            return
        yield follower


def _is_decision(message: OpenedMessage) -> bool:
    """Check whether a message may carry what a person decided: that is taken up by itself."""
    return message.inbound.message_id.startswith(MESSAGE_PREFIX)


def _is_of_one_hand(message: OpenedMessage, follower: OpenedMessage) -> bool:
    """Check whether both come from one sender on one channel, and the gateway says the same of both.

    That is, it vouches for both or for neither, and wants answers to both or, for the same reason, to neither.
    """
    if _is_decision(follower):
        return False
    return _said_by_gateway(message.inbound) == _said_by_gateway(follower.inbound)


def _said_by_gateway(inbound: Inbound) -> tuple[object, ...]:
    return (inbound.channel, inbound.sender, inbound.sender_is_verified, inbound.unanswered_because)
