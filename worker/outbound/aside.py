"""Bring consumer groups what was cut from their streams before they had collected it: from PostgreSQL, in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog

from runtime.database import EVERY_TENANT
from schema.errors import Unsealable
from schema.keys import ASIDE_ID, again_stream
from worker.outbound.places import OutboundStream, id_of, position_of, stream_of

if TYPE_CHECKING:
    from runtime.database import Database, Row
    from runtime.redis import Scripts
    from runtime.sealing import Sealer

WAITING_MAX = 1_000
"""Most entries that wait in a group's own stream: the rest stays in PostgreSQL until it has collected these."""

_PAGE_ROWS = 500

_log = structlog.get_logger("fte.streams")


class Aside:
    """Moves a group that is too far behind to a stream of its own, fills it page by page, and lets the group rejoin.

    In the stream itself such a group stands behind every entry to come (`ASIDE_ID`), so it pins nothing and is handed
    nothing newer. Its own stream (`again_stream`) holds what was cut, under the ids that the entries had; once it has
    collected all of that, it goes on in the stream where the cut ended. Other groups notice nothing.
    """

    def __init__(self, scripts: Scripts, database: Database, sealer: Sealer) -> None:
        self._scripts = scripts
        self._database = database
        self._sealer = sealer

    async def put(self, tenant: str, stream: OutboundStream, group: str, position: int) -> None:
        """Set a group aside that has collected up to `position`: from now on it collects from a stream of its own.

        It is noted in PostgreSQL first: what is cut from then on is recorded for the group.
        """
        epoch = (await self._database.read(tenant, "read_life", tenant=tenant))[0]["stream_life"]
        await self._database.read(
            tenant,
            "note_groups",
            tenants=[tenant],
            kinds=[stream.kind],
            channels=[stream.channel],
            names=[group],
            positions=[position],
            asides=[True],
            lives=[epoch],
        )
        keys = [stream.name, again_stream(stream.name, group)]
        if await self._scripts.set_aside(keys=keys, args=[group, id_of(position), ASIDE_ID]):
            _log.warning(
                "stream.group_set_aside",
                tenant=tenant,
                stream=stream.name,
                group=group,
                collected=id_of(position),
            )

    async def refill(self) -> int:
        """Add the next of what was cut for each group that has collected most of what it has; returns how many."""
        added = 0
        for row in await self._database.read(EVERY_TENANT, "find_groups"):
            if row["is_aside"]:
                added += await self._refill_one(row["tenant_id"], stream_of(row), row["name"])
        return added

    async def _refill_one(self, tenant: str, stream: OutboundStream, group: str) -> int:
        keys = [stream.name, again_stream(stream.name, group)]
        added = 0
        while True:
            state = await self._scripts.read_again(keys=keys, args=[group])
            if not state or state[0] > WAITING_MAX - _PAGE_ROWS:
                return added
            _, after, first_behind = state
            rows = await self._database.read(
                tenant,
                "find_cut",
                tenant=tenant,
                kind=stream.kind,
                channel=stream.channel,
                after_position=position_of(after.decode()),
                rows_max=_PAGE_ROWS,
            )
            if not rows:
                if await self._scripts.rejoin(keys=keys, args=[group, after, first_behind]):
                    _log.info("stream.group_rejoined", tenant=tenant, stream=stream.name, group=group)
                return added
            arguments: list[Any] = [group, after]
            for row in rows:
                arguments += self._entry(tenant, row)
            page = int(await self._scripts.add_again(keys=keys[1:], args=arguments))
            added += page
            if not page:
                return added

    def _entry(self, tenant: str, row: Row) -> list[Any]:
        """Return a row as the script takes it; what is erased or no key opens is left out, and stays in the outbox."""
        try:
            body = self._sealer.open(row["body"]) if row["body"] else ""
        except Unsealable:
            _log.exception("publish.unsealable", tenant=tenant, conversation=row["conversation_id"])
            body = ""
        return [id_of(row["position"]), row["entry_id"], row["conversation_id"], row["sequence"], body]
