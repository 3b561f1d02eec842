"""Kill this process at a named point of its work, for crash tests."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Mapping
from typing import Literal, get_args

from structlog.contextvars import get_contextvars

VARIABLE = "CRASH_TEST_FAILPOINT"
"""Names the point to die at, as `commit.begun`, or `model.answered@2` for the second time it is reached.

`guard.done=c-7` is reached by the turns of conversation c-7 alone: a message that kills every worker that tries it.
`guard.done+0.1` dies 0.1 s after the point: in the middle of what follows.

Not a setting, and not named like one: nobody who operates workers needs it.
"""

TurnPoint = Literal[
    "hydrate.begun",
    "hydrate.done",
    "guard.done",
    "model.answered",  # and not journaled yet
    "model.journaled",
    "tool.answered",  # and not journaled yet
    "tool.journaled",
    "commit.begun",
    "commit.written",  # and not committed yet; only where a turn changes a booking: else both are one round trip
    "commit.done",  # and nothing published yet
    "publish.done",  # and the message not acknowledged yet
]
TURN_POINTS: tuple[TurnPoint, ...] = get_args(TurnPoint)

Point = Literal[
    TurnPoint,
    "send.accepted",  # in the inbox, and in no mailbox yet
    "send.appended",  # and nobody rung for yet
    "send.rung",  # and no receipt given yet
    "drain.begun",  # the bell is heard, and the conversation not leased yet
    "acknowledge.done",  # and the conversation not given back yet
    "leftovers.found",  # by rescue, of a worker that died after its commit; and not published yet
    "leftovers.published",  # and not noted yet
    "reply.handed_on",  # by a consumer of the streams, and not acknowledged yet
]
POINTS: tuple[Point, ...] = get_args(Point)

DeliveryPoint = Literal[
    "delivery.begun",  # the attempt is recorded, and nothing sent yet
    "delivery.sent",  # the provider has answered, and it is not recorded yet
]
DELIVERY_POINTS: tuple[DeliveryPoint, ...] = get_args(DeliveryPoint)
"""Of a process that delivers replies; it is no part of a turn, and dies in tests of its own."""

Failpoint = Callable[[Point | DeliveryPoint], None]
"""Called where a process reaches a point."""


def no_failpoint(_point: Point | DeliveryPoint) -> None:
    """Do nothing: no test wants this process to die."""


def read_failpoint(environment: Mapping[str, str]) -> Failpoint:
    """Return the failpoint that the environment names, or `no_failpoint` where it names none.

    Raises ValueError for a point that does not exist: such a test would never fail.
    """
    wanted = environment.get(VARIABLE)
    if wanted is None:
        return no_failpoint
    named, _, conversation = wanted.partition("=")
    named, _, after_seconds = named.partition("+")
    point, _, place = named.partition("@")
    points = (*POINTS, *DELIVERY_POINTS)
    if point not in points:
        raise ValueError(f"{VARIABLE}={wanted}: no such point, but {', '.join(points)}")
    left = int(place or 1)

    def die_there(reached: Point | DeliveryPoint) -> None:
        nonlocal left
        if reached == point and conversation in ("", get_contextvars().get("conversation")):
            left -= 1
            if left == 0:
                _die_after(float(after_seconds or 0))

    return die_there


def _die_after(seconds: float) -> None:
    """Kill this process now, or by a timer that needs no event loop."""
    if not seconds:
        os.kill(os.getpid(), signal.SIGKILL)
        return
    timer = threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGKILL))
    timer.daemon = True
    timer.start()
