"""Lay down when each message of a load test is due, and in which conversation: by the profile alone."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ops.lab.load.profile import Phase, Profile

_ROUNDING = 1e-6
"""Part of a message by which sums of rates may be off."""


@dataclass(frozen=True, slots=True)
class DueMessage:
    """One message of a load test that is to be sent at its time, whatever has come back by then."""

    conversation: int
    """The number of its customer; hot conversations count for themselves."""
    place: int
    """Its index among the messages of its conversation, 0, 1, 2 …"""
    due_seconds: float
    """From the beginning of the run."""
    phase: int
    """Index of its phase."""
    is_hot: bool = False

    @property
    def name(self) -> str:
        """Return the name of its conversation within the run."""
        return f"hot-{self.conversation}" if self.is_hot else str(self.conversation)


def make_schedule(profile: Profile) -> Iterator[DueMessage]:
    """Yield all messages of a profile by the time they are due, the same for the same profile.

    `conversations` customers take turns until each has written `turns` messages; then others take their places. Hot
    conversations get their share besides, spread evenly, and never end.
    """
    open_at_once, turns = profile.conversations, profile.turns
    ordinary, hot = count(), count()
    owed = 0.0
    for due_seconds, number, phase in _due_times(profile):
        owed += phase.hot_share
        if owed >= 1 - _ROUNDING:
            owed -= 1
            place, conversation = divmod(next(hot), profile.hot_conversations)
            yield DueMessage(conversation, place, due_seconds, number, is_hot=True)
            continue
        round_, slot = divmod(next(ordinary), open_at_once)
        generation, place = divmod(round_, turns)
        yield DueMessage(generation * open_at_once + slot, place, due_seconds, number)


def _due_times(profile: Profile) -> Iterator[tuple[float, int, Phase]]:
    """Yield when messages fall due, with the index of the phase and the phase.

    A message is due wherever the messages due so far, as the rates add up to, reach the next point: every whole number
    for even arrivals, steps of an exponential distribution for random ones, which makes a Poisson process of any rate.
    """
    points = _points(profile)
    point = next(points)
    begins, before = 0.0, 0.0
    for number, phase in enumerate(profile.phases):
        while point < before + phase.messages - _ROUNDING:
            yield begins + seconds_until(phase, point - before), number, phase
            point = next(points)
        begins += phase.seconds
        before += phase.messages


def _points(profile: Profile) -> Iterator[float]:
    if profile.arrivals == "even":
        yield from map(float, count())
    chance = random.Random(profile.seed)  # noqa: S311 - made-up customers
    point = 0.0
    while True:
        point += chance.expovariate(1)
        yield point


def seconds_until(phase: Phase, messages: float) -> float:
    """Return after how many seconds of a phase so many messages are due in it; `messages` is below its own."""
    slope = (phase.last_rate - phase.rate) / phase.seconds
    if messages <= 0:
        return 0.0
    # rate · t + slope / 2 · t² = messages, solved in the form that also holds without a slope
    root = math.sqrt(max(0.0, phase.rate**2 + 2 * slope * messages))
    return min(2 * messages / (phase.rate + root), phase.seconds)
