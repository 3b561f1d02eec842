"""Rules that tell the episodes of a conversation apart: pure functions over messages and resolutions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from schema.channels import Channel

RULE_VERSION: Final = 1
"""Stored with each episode: figures say by which rules they were counted."""

GRACE: Final = timedelta(seconds=30)
"""How long after an episode's end the job waits for a message that was accepted just before it."""

LOOK_AGAIN: Final = timedelta(minutes=1)
"""When the job looks again at a silent episode whose newest message has no outcome yet."""

CloseReason = Literal["idle", "resolved"]


@dataclass(frozen=True)
class Message:
    """A customer's message that has its outcome."""

    position: int
    channel: Channel
    accepted_at: datetime
    finished_at: datetime


@dataclass(frozen=True)
class Resolution:
    """That somebody called the conversation resolved, up to and with the message at `position`."""

    position: int
    resolved_at: datetime


@dataclass(frozen=True)
class Episode:
    """A stretch of a conversation; `closed_at` is when it was resolved, or had been silent for long enough."""

    number: int
    first_position: int
    last_position: int
    channel: Channel
    """Of its newest message."""
    opened_at: datetime
    last_at: datetime
    """When its newest message was accepted or answered, whichever was later."""
    look_at: datetime
    closed_at: datetime | None = None
    close_reason: CloseReason | None = None


@dataclass(frozen=True)
class Activity:
    """What came in a conversation after its newest episode was last brought up to date, in order."""

    messages: Sequence[Message]
    resolutions: Sequence[Resolution]
    is_waiting: bool
    """Whether a message has no outcome yet: until it has, the conversation is not silent."""


def advance(
    newest: Episode | None, activity: Activity, idle: Mapping[Channel, timedelta], now: datetime
) -> list[Episode]:
    """Return the episodes that are new or changed, oldest first, given the newest one so far.

    A message begins an episode when there is none, when the one before was resolved, or when the message was accepted
    later than `idle` after that one's last moment. Given the same, it returns the same.
    """
    changed: dict[int, Episode] = {}
    current = newest
    for message in activity.messages:
        if current is not None and current.closed_at is None:
            current = _close_before(current, message, activity.resolutions, idle)
            changed[current.number] = current
        current = _take_up(current, message, idle)
        changed[current.number] = current
    if current is not None and current.closed_at is None:
        ended = _close_by_now(current, activity, idle, now)
        if ended != current:
            changed[ended.number] = ended
    return [changed[number] for number in sorted(changed)]


def _close_before(
    episode: Episode, message: Message, resolutions: Sequence[Resolution], idle: Mapping[Channel, timedelta]
) -> Episode:
    """Close an episode that had ended when a message came."""
    for resolution in resolutions:
        if episode.last_position <= resolution.position < message.position:
            return _close(episode, max(resolution.resolved_at, episode.opened_at), "resolved")
    silent_from = episode.last_at + idle[episode.channel]
    return _close(episode, silent_from, "idle") if message.accepted_at > silent_from else episode


def _take_up(episode: Episode | None, message: Message, idle: Mapping[Channel, timedelta]) -> Episode:
    last_at = max(message.accepted_at, message.finished_at)
    if episode is None or episode.closed_at is not None:
        number = 1 if episode is None else episode.number + 1
        return Episode(
            number=number,
            first_position=message.position,
            last_position=message.position,
            channel=message.channel,
            opened_at=message.accepted_at,
            last_at=last_at,
            look_at=last_at + idle[message.channel] + GRACE,
        )
    last_at = max(last_at, episode.last_at)
    return replace(
        episode,
        last_position=message.position,
        channel=message.channel,
        last_at=last_at,
        look_at=last_at + idle[message.channel] + GRACE,
    )


def _close_by_now(episode: Episode, activity: Activity, idle: Mapping[Channel, timedelta], now: datetime) -> Episode:
    for resolution in activity.resolutions:
        if resolution.position >= episode.last_position:
            return _close(episode, max(resolution.resolved_at, episode.opened_at), "resolved")
    silent_from = episode.last_at + idle[episode.channel]
    if now < silent_from + GRACE:
        return replace(episode, look_at=silent_from + GRACE)
    if activity.is_waiting:
        return replace(episode, look_at=now + LOOK_AGAIN)
    return _close(episode, silent_from, "idle")


def _close(episode: Episode, at: datetime, reason: CloseReason) -> Episode:
    return replace(episode, closed_at=at, close_reason=reason)
