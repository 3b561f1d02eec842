"""Ask Redis Sentinels where the primary is."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any

from redis.asyncio.connection import AbstractConnection, Connection, SSLConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from runtime.cancelling import cancel_and_wait
from runtime.server_addresses import first_line

if TYPE_CHECKING:
    from schema.redis_address import SentinelAddress

ANSWER_SECONDS_MAX = 1.0
"""How long a Sentinel may take: the others know as much as one that is silent."""

Place = tuple[str, int]
"""Host and port."""


class PrimaryFinder:
    """Finds the primary anew each time a connection is made, by the word of most Sentinels.

    One Sentinel alone may be cut off from the others, and still tell of a primary that has long been replaced. So all
    are asked at once, and none is waited for when more than half agree; where fewer answer, what most of them say
    counts.
    """

    def __init__(self, address: SentinelAddress) -> None:
        self._address = address
        self._asking: asyncio.Task[Place] | None = None

    async def find(self) -> Place:
        """Return where the primary is; raises redis-py's ConnectionError when no Sentinel says.

        Connections that are made at the same time share one round of questions.
        """
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._find())
            self._asking.add_done_callback(_note_error)
        return await asyncio.shield(self._asking)

    async def ask_each(self) -> list[Place | str]:
        """Ask every Sentinel, and return for each where the primary is, or why it does not say."""
        return list(await asyncio.gather(*map(self._ask, self._address.sentinels)))

    async def _find(self) -> Place:
        asked = self._address.sentinels
        asking = [asyncio.create_task(self._ask(sentinel)) for sentinel in asked]
        told: Counter[Place] = Counter()
        reasons: list[str] = []
        try:
            for answering in asyncio.as_completed(asking):
                answer = await answering
                if isinstance(answer, str):
                    reasons.append(answer)
                    continue
                told[answer] += 1
                if 2 * told[answer] > len(asked):
                    return answer
        finally:
            await cancel_and_wait(*asking)
        if not told:
            raise RedisConnectionError(f"none of {len(asked)} Sentinels says where the primary is: {reasons[0]}")
        return told.most_common(1)[0][0]

    async def _ask(self, sentinel: Place) -> Place | str:
        """Ask one Sentinel, on a connection of its own: it is asked rarely, and may be gone the next time."""
        connection: Any = self._connect_to(*sentinel)
        try:
            await connection.connect()
            await connection.send_command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", self._address.primary)
            told: Any = await connection.read_response()
        except (RedisError, OSError) as error:
            return first_line(error)
        finally:
            # Whoever asks may be cancelled at any moment, so nothing is waited for here.
            await connection.disconnect(nowait=True)
        if not told:
            return f"it watches no primary of the name {self._address.primary}"
        return told[0].decode(), int(told[1])

    def _connect_to(self, host: str, port: int) -> AbstractConnection:
        options: dict[str, Any] = {
            "host": host,
            "port": port,
            "socket_timeout": ANSWER_SECONDS_MAX,
            "socket_connect_timeout": ANSWER_SECONDS_MAX,
            "retry": Retry(NoBackoff(), 0),
            "protocol": 2,
            **self._address.sentinel_login,
        }
        if self._address.tls is None:
            return Connection(**options)
        return SSLConnection(**options, **self._address.tls)


def _note_error(asking: asyncio.Task[Place]) -> None:
    """Read a failed round's error, which asyncio would complain of where everybody who waited has been cancelled."""
    if not asking.cancelled():
        asking.exception()
