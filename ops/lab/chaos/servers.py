"""The servers of one chaos run: one PostgreSQL and one Redis, or one of them with others that take over."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ops.embedded import EmbeddedStack
from ops.lab.chaos.sentinel_servers import SentinelRedis
from ops.lab.chaos.standby import Standby, open_standby

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

ServerKind = Literal["single", "sentinels", "standby"]
"""`single`: nobody takes over. `sentinels`: Redis has replicas, and Sentinels that watch them.

`standby`: PostgreSQL has a synchronous standby.
"""


@dataclass(frozen=True)
class ChaosServers:
    """Running servers, and the addresses that the product is given."""

    stack: EmbeddedStack
    database_url: str
    redis_url: str
    sentinels: SentinelRedis | None = None
    standby: Standby | None = None

    @property
    def are_wired(self) -> bool:
        """Return whether processes reach them over wires of chaos: none leads to whoever takes over."""
        return self.sentinels is None and self.standby is None


@asynccontextmanager
async def open_servers(folder: Path, kind: ServerKind) -> AsyncIterator[ChaosServers]:
    """Run the servers in a folder for the block."""
    async with AsyncExitStack() as opened:
        stack = opened.enter_context(EmbeddedStack(folder / "stack"))
        database_url, redis_url = stack.addresses.database_url, stack.addresses.redis_url
        if kind == "sentinels":
            sentinels = opened.enter_context(SentinelRedis(folder / "redis"))
            yield ChaosServers(stack, database_url, sentinels.url, sentinels)
        elif kind == "standby":
            standby = await opened.enter_async_context(open_standby(stack, folder / "standby"))
            yield ChaosServers(stack, standby.url, redis_url, standby=standby)
        else:
            yield ChaosServers(stack, database_url, redis_url)
