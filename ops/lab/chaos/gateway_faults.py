"""Trouble the HTTP gateway."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ops.lab.chaos.http_sender import SENDER

if TYPE_CHECKING:
    from ops.lab.chaos.scene import Scene

STALLED_SECONDS_MAX: Final = 40.0
_STALLED: Final = b"stream.client_stalled"


async def stall_a_reader(scene: Scene) -> None:
    """Send by HTTP while a reader of the gateway's events reads nothing; it must be cut off, and nobody else wait."""
    sender = scene.crew.sender
    sender.changes = {SENDER: "http-stalled"}
    await scene.kill(sender)
    if not await scene.until(lambda: _STALLED in sender.log.read_bytes(), STALLED_SECONDS_MAX):
        scene.undone.append("the reader that read nothing was not cut off")
    await scene.restore()
