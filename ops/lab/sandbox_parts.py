"""What a sandbox of a channel is made in, and how its account is connected."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ops.desk.channels import AccountDesk
from runtime.configuration import open_sealer
from runtime.database import Database

if TYPE_CHECKING:
    from collections.abc import Callable

    from anyio.from_thread import BlockingPortal

    from schema.channels import Channel
    from schema.settings import Settings

TENANT: Final = "default"


@dataclass(frozen=True)
class SandboxPlace:
    """What a sandbox is made in: the servers, the gateway's URL, and where to say what arrives."""

    settings: Settings
    gateway_url: str
    say: Callable[[str], None]
    portal: BlockingPortal
    """The event loop that stand-ins run on."""


@dataclass(frozen=True)
class SandboxHint:
    """How to try a channel in the sandbox: one line for people, and a command."""

    text: str
    command: str


def connect_account(
    place: SandboxPlace, channel: Channel, known_by: str, settings: dict[str, Any], secrets: dict[str, Any]
) -> str:
    """Connect the sandbox's account of a channel, or the one of an earlier run anew; return its id.

    That one is known by having the same value of the setting `known_by`.
    """

    async def connect() -> str:
        database = Database(place.settings)
        await database.open()
        try:
            desk = AccountDesk(database, open_sealer(place.settings), TENANT)
            for row in await desk.read(channel=channel):
                if row["settings"].get(known_by) == settings[known_by]:
                    await desk.set(row["account_id"], settings)
                    await desk.rotate(row["account_id"], secrets, 0)
                    await desk.enable(row["account_id"])
                    return str(row["account_id"])
            return await desk.add(channel, settings, secrets)
        finally:
            await database.close()

    return place.portal.call(connect)


def free_port(wanted: int) -> int:
    """Return a port of loopback that is free now, the wanted one where it is."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    return wanted
