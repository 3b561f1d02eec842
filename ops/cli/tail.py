"""Print the end of the outbound streams, and follow them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ops.desk.outbound import open_redis, read_all, read_ends, read_newest
from producer.collecting.entries import StreamEntry
from producer.collecting.following import AsyncFollower
from schema.keys import parse_entry_id

if TYPE_CHECKING:
    from schema.settings.servers import ServerSettings

Show = Callable[[StreamEntry], None]


async def tail(
    settings: ServerSettings,
    streams: Sequence[str],
    show: Show,
    *,
    last: int | None,
    conversation: str | None,
    on: bool = False,
) -> None:
    """Show the newest `last` entries (None: all) of several streams by age; with `on`, follow new ones without end.

    Raises ServerUnreachable.
    """

    def is_wanted(entry: StreamEntry) -> bool:
        return conversation is None or entry.conversation == conversation

    async with open_redis(settings) as client, AsyncFollower(settings, streams) as follower:
        ends = await read_ends(client, streams)
        if last is None:
            async for entry in read_all(client, ends):
                if is_wanted(entry):
                    show(entry)
        else:
            for entry in await read_newest(client, ends, last, is_wanted):
                show(entry)
        if on:
            async for entry in follower:
                # It has followed since before the ends were read, so that nothing falls in between.
                is_new = parse_entry_id(entry.entry_id) > parse_entry_id(ends[entry.stream])
                if is_new and is_wanted(entry):
                    show(entry)
