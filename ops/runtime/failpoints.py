"""Kill this process at a named point of a turn: how crash tests reach every step."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping
from typing import Literal, get_args

from structlog.contextvars import get_contextvars

VARIABLE = "CRASH_TEST_FAILPOINT"
"""Names the point to die at, as `commit.begun`, or `model.answered@2` for the second time it is reached.

`guard.done=c-7` is reached by the turns of conversation c-7 alone: a message that kills whoever tries it.

No setting, and not named like one: nobody who operates workers wants it.
"""

Point = Literal[
    "hydrate.begun",
    "hydrate.done",
    "guard.done",
    "model.answered",  # and not journaled yet
    "model.journaled",
    "tool.answered",  # and not journaled yet
    "tool.journaled",
    "commit.begun",
    "commit.done",  # and nothing published yet
    "publish.done",  # and the message not acknowledged yet
]
POINTS: tuple[Point, ...] = get_args(Point)

Reach = Callable[[Point], None]
"""Is called where a turn reaches a point."""


def pass_by(_point: Point) -> None:
    """Go on, as every process does that no test wants to die."""


def read_failpoint(environment: Mapping[str, str]) -> Reach:
    """Give what dies where the environment says; without a word from it, what passes by.

    Raises ValueError for a point that does not exist: such a test would never fail.
    """
    wanted = environment.get(VARIABLE)
    if wanted is None:
        return pass_by
    named, _, conversation = wanted.partition("=")
    point, _, place = named.partition("@")
    if point not in POINTS:
        raise ValueError(f"{VARIABLE}={wanted}: no such point, but {', '.join(POINTS)}")
    left = int(place or 1)

    def die_there(reached: Point) -> None:
        nonlocal left
        if reached == point and conversation in ("", get_contextvars().get("conversation")):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    return die_there
