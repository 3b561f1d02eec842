"""Answer with a refusal what an operation of operators or people says is wrong."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from producer.gateway.problems import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from schema.errors import FteError


@contextmanager
def refusing(refusals: Mapping[type[FteError], str]) -> Iterator[None]:
    """Refuse, by the first kind of error that fits, with what is wrong, and with what is new where that is the reason.

    `refusals` are the problems' names by error; every other error passes through. Raises Refused.
    """
    try:
        yield
    except tuple(refusals) as error:
        name = next(name for kind, name in refusals.items() if isinstance(error, kind))
        raise Refused(name, str(error), news=getattr(error, "news", ())) from None
