"""Log a server's outage once when it begins, and once when it ends."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import psycopg
import structlog
from psycopg import errors
from psycopg_pool import PoolClosed, PoolTimeout, TooManyRequests
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import MasterDownError, OutOfMemoryError, ReadOnlyError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from runtime.server_addresses import address_of

if TYPE_CHECKING:
    from schema.settings.servers import ServerSettings

_log = structlog.get_logger("fte.servers")


# States that psycopg does not count as operational: the server takes no writes for now, as after a failover or when its
# storage is nearly full; or a time limit of the server has ended the transaction and the session.
_PASSING_STATES = ("25006", "25P03", "25P04")
POSTGRESQL_AWAY: tuple[type[Exception], ...] = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    PoolTimeout,
    TooManyRequests,
    *(errors.lookup(state) for state in _PASSING_STATES),
)
"""Errors raised when PostgreSQL does not answer, has no connection for us, or can do nothing at this time."""

_REFUSALS = (OutOfMemoryError, ReadOnlyError, MasterDownError)
# Replies of a Redis whose disk is full, that has too few replicas, or that has just become a replica while a client
# waited for an entry; and, before Redis 7, the same passed on by a script.
_REFUSED = re.compile(r"(?:^|-)(?:MISCONF|NOREPLICAS|OOM|READONLY|MASTERDOWN|UNBLOCKED)\b")


def is_redis_away(error: BaseException) -> bool:
    """Check whether Redis did not answer, or answered that it cannot write at this time."""
    if isinstance(error, ResponseError):
        return isinstance(error, _REFUSALS) or _REFUSED.search(str(error)) is not None
    return isinstance(error, RedisConnectionError | RedisTimeoutError)


_NO_PRIMARY = re.compile(r"(?:^|-)(?:READONLY|MASTERDOWN|UNBLOCKED)\b")


def is_no_primary(error: ResponseError) -> bool:
    """Check whether Redis answered that it is a replica, so that its primary is to be looked for elsewhere."""
    return isinstance(error, ReadOnlyError | MasterDownError) or _NO_PRIMARY.search(str(error)) is not None


class Outage:
    """The outage state of one server: a thousand refused messages are one fact, not a thousand lines."""

    def __init__(self, server: str, address: str) -> None:
        self._server = server
        self._address = address
        self._away = False

    @property
    def is_away(self) -> bool:
        """Return whether the server does not answer, as far as this process knows."""
        return self._away

    def begins(self, error: BaseException, **fields: Any) -> None:
        """Record that the server did not answer, and log it when it is news.

        A pool that this process has closed itself, as it ends, says nothing of the server.
        """
        if isinstance(error, PoolClosed):
            return
        if not self._away:
            _log.warning(f"{self._server}.unreachable", address=self._address, error=type(error).__name__, **fields)
        self._away = True

    def ends(self) -> None:
        """Record that the server answered, and log it when it was away."""
        if self._away:
            _log.info(f"{self._server}.reachable", address=self._address)
        self._away = False


class Outages:
    """The outages of one process's servers, so that each is logged once."""

    def __init__(self, settings: ServerSettings) -> None:
        self.redis = Outage("redis", address_of(settings.redis_url or ""))
        self.postgresql = Outage("postgresql", address_of(settings.database_url or ""))

    def begins(self, error: BaseException) -> None:
        """Record the outage of the server that an error comes from."""
        of_postgresql = isinstance(error, psycopg.Error | PoolTimeout | TooManyRequests)
        (self.postgresql if of_postgresql else self.redis).begins(error)
