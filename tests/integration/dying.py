"""Let a worker die at a point of a turn, in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.integration.worker_harness import Harness


async def die_at(harness: Harness, conversation: str, point: str) -> None:
    """Run the head's turn up to a point, as a worker that is killed there."""

    def failpoint(name: str) -> None:
        if name == point:
            raise Died

    acquired = await harness.mailbox.acquire(harness.key(conversation))
    assert not isinstance(acquired, str)
    lease, head = acquired
    turn: Any = harness.service.drainer.turn
    object.__setattr__(turn, "failpoint", failpoint)
    with pytest.raises(Died):
        await turn.run(lease.key, head)
    object.__setattr__(turn, "failpoint", lambda _: None)
    await harness.mailbox.release(lease)


class Died(BaseException):
    """The worker was killed."""
