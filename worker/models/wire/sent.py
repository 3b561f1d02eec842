"""Show what went over the wire to whoever made the call: the SDK between them hands on no arguments of ours."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_bodies: ContextVar[list[Mapping[str, Any]] | None] = ContextVar("bodies", default=None)


@contextmanager
def watching() -> Iterator[list[Mapping[str, Any]]]:
    """Yield a list that gets the body of each request that is sent and answered in the block, in order."""
    bodies: list[Mapping[str, Any]] = []
    token = _bodies.set(bodies)
    try:
        yield bodies
    finally:
        _bodies.reset(token)


def show(body: Mapping[str, Any]) -> None:
    """Show the body of an answered request to whoever watches."""
    bodies = _bodies.get()
    if bodies is not None:
        bodies.append(body)
