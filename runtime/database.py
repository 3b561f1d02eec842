"""Connect to PostgreSQL: one pool per process, one round trip per read, every statement under row-level security."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar
from weakref import WeakSet

import psycopg
from psycopg import errors
from psycopg.abc import PQGen
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import dict_row
from psycopg.types.json import set_json_dumps
from psycopg_pool import AsyncConnectionPool

from runtime.encoding import dump_json
from runtime.server_addresses import address_of, reason_of
from schema.errors import InvalidSettings, ServerUnfit, ServerUnreachable
from schema.resources import load_query
from schema.settings.servers import ServerSettings

APPLICATION_ROLE = "fte_app"
HTTP_ROLE = "fte_http"
"""The role of processes that strangers reach: it sees one tenant at a time, and only with that tenant's proof."""
EVERY_TENANT = "*"
"""The scope of rescue and operators; no tenant can have this name."""

Row = dict[str, Any]
Answer = TypeVar("Answer")

ANSWER_SECONDS_MAX = 7.0
"""How long PostgreSQL may be silent before its connection is dropped: longer than any statement may take."""

# A superuser is above row-level security, so its connections speak as the application's role.
_LOWER_ROLE = """
    SELECT set_config('role', %(role)s, false) FROM pg_roles r
    WHERE r.rolname = current_user AND (r.rolsuper OR r.rolbypassrls)
        AND EXISTS (SELECT FROM pg_roles a WHERE a.rolname = %(role)s)
"""
# On an empty database there is nothing to see, and the next check reports that `fte migrate` is missing.
_FIND_ROLE = """
    SELECT current_user AS name, (r.rolsuper OR r.rolbypassrls) AND to_regclass('tenant') IS NOT NULL AS above
    FROM pg_roles r WHERE r.rolname = current_user
"""
# Whoever may become a role that is not restricted is not restricted: a superuser may become any.
_FIND_FENCE = """
    SELECT EXISTS (SELECT FROM pg_roles f WHERE f.rolname = %(fenced)s AND pg_has_role(current_user, f.oid, 'USAGE'))
        AND NOT EXISTS (SELECT FROM pg_roles o WHERE pg_has_role(session_user, o.oid, 'MEMBER')
            AND (o.rolname = %(unfenced)s OR o.rolsuper OR o.rolbypassrls
                OR o.oid = (SELECT c.relowner FROM pg_class c WHERE c.oid = to_regclass('tenant')))) AS is_fenced
"""
# Formats that our statements and psycopg expect. Set by statement, since PGDATESTYLE comes after `options`.
_PIN_FORMATS = """
    SELECT set_config('datestyle', 'ISO', false), set_config('standard_conforming_strings', 'on', false)
"""
_TIME_LIMITS = {"statement_timeout": "6s", "idle_in_transaction_session_timeout": "8s", "lock_timeout": "5s"}
_OPTIONS = " ".join(f"-c {name}={value}" for name, value in _TIME_LIMITS.items())
# An address that has one of these keeps its own.
_DEFAULTS: Mapping[str, str | int] = {
    "application_name": "fte",
    "connect_timeout": 3,
    "keepalives_idle": 10,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 8_000,
}
ENCODINGS = ("UTF8", "SQL_ASCII")
"""Encodings of a database that keep what customers write: SQL_ASCII keeps bytes, and ours are always UTF-8."""

RECONNECT_SECONDS = 1.0
"""How often to try to reconnect to a PostgreSQL that is away."""


class Transaction:
    """A transaction; its statements take effect together at the end of the `async with` that opened it."""

    def __init__(self, connection: psycopg.AsyncConnection[Row]) -> None:
        self.connection = connection

    async def run(self, query: str, /, **parameters: Any) -> list[Row]:
        """Run `schema/queries/<room>/<query>.sql` and return its rows; none for a statement that returns none."""
        cursor = await self.connection.execute(load_query(query), parameters)
        return await cursor.fetchall() if cursor.description else []

    async def count(self, query: str, parameters: Mapping[str, Any]) -> int:
        """Run a statement that writes; return the number of rows it touched."""
        return (await self.connection.execute(load_query(query), parameters)).rowcount


class _Connection(psycopg.AsyncConnection[Row]):
    """A connection that hangs up on a silent server: a statement's own time limit is kept by the server alone.

    TCP does not notice a wire that swallows everything when a proxy or a load balancer is at its other end.
    """

    on_silence: Callable[[], None] | None = None
    is_waiting = False
    made_at = 0.0
    """By the loop's clock."""

    async def wait(self, gen: PQGen[Answer], interval: float = 0.1, timeout: float | None = None) -> Answer:  # noqa: ASYNC109 - psycopg's
        """Wait for the server's answer, as psycopg does; raises OperationalError after ANSWER_SECONDS_MAX."""
        timer = asyncio.get_running_loop().call_later(ANSWER_SECONDS_MAX, self._give_up)
        self.is_waiting = True
        try:
            return await super().wait(gen, interval, timeout)
        finally:
            self.is_waiting = False
            timer.cancel()

    def _give_up(self) -> None:
        self.hang_up()
        if self.on_silence is not None:
            self.on_silence()

    def hang_up(self) -> None:
        """Shut the socket down beneath a waiting statement, which then raises OperationalError."""
        with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(self.fileno())) as wire:
            wire.shutdown(socket.SHUT_RDWR)


class Database:
    """The process's connection pool to PostgreSQL; made and used on one event loop."""

    def __init__(self, settings: ServerSettings) -> None:
        if settings.database_url is None:
            raise InvalidSettings(["FTE_DATABASE_URL: not set; `fte up` prints one"])
        self.address = address_of(settings.database_url)
        self._url = settings.database_url
        self._is_pooled = settings.database_pooled
        self._parameters = _parameters_of(settings.database_url, is_pooled=settings.database_pooled)
        self.is_fenced = False
        """Whether the login sees one tenant at a time, and only with its proof; known once it is open."""
        self._proofs: dict[str, str] = {}
        self._draining: asyncio.Task[None] | None = None
        self._connections: WeakSet[_Connection] = WeakSet()
        self._pool: AsyncConnectionPool[_Connection] = AsyncConnectionPool(
            settings.database_url,
            connection_class=_Connection,
            kwargs=self._parameters,
            min_size=1,
            max_size=settings.database_connections_max,
            timeout=10,
            max_waiting=0,
            # The pool doubles its wait after each failed connect, so it must give up soon and start over.
            reconnect_timeout=RECONNECT_SECONDS,
            reconnect_failed=_try_again,
            configure=self._configure,
            open=False,
        )

    async def open(self) -> None:
        """Connect once and open the pool.

        Raises ServerUnreachable naming the address, the setting and the server's reason; ServerUnfit when the
        connection would be above row-level security, or the database cannot hold what customers write.
        """
        try:
            # The pool would retry until its time-out without saying what is wrong; this connects once and raises.
            probe = await _Connection.connect(self._url, **self._parameters)
            async with probe:
                await self._configure(probe)
                self.is_fenced = await _is_fenced(probe)
                if self._is_pooled:
                    await self._check_time_limits(probe)
            await self._pool.open()
            await self._pool.wait(timeout=5)
        except psycopg.Error as error:
            await self._pool.close()
            reason = reason_of(error, self._url)
            raise ServerUnreachable("PostgreSQL", self.address, "FTE_DATABASE_URL", reason) from None

    async def close(self) -> None:
        """Close every connection."""
        await self._pool.close()

    @property
    def pool_figures(self) -> dict[str, int]:
        """Return the figures of the pool as psycopg_pool names them: `pool_size`, `pool_available`, and others."""
        return self._pool.get_stats()

    def keep_proof(self, tenant: str, proof: str) -> None:
        """Keep the proof by which an HTTP process speaks for a tenant; it came with a key of that tenant."""
        self._proofs[tenant] = proof

    def has_proof(self, tenant: str) -> bool:
        """Check whether this process can speak for a tenant already."""
        return tenant in self._proofs

    @property
    def proofs(self) -> list[str]:
        """Return the proofs of the tenants that keys were presented for."""
        return list(self._proofs.values())

    def scope_of(self, tenant: str) -> dict[str, str]:
        """Return the parameters of `set_tenant` for a tenant, or EVERY_TENANT."""
        return {"tenant": tenant, "proof": self._proofs.get(tenant, "")}

    async def read(self, tenant: str, query: str, /, **parameters: Any) -> list[Row]:
        """Run one statement as `tenant` in one round trip and return its rows.

        The pipeline's statements share one implicit transaction, which ends with the pipeline: the tenant set there
        does not outlive it.
        """
        async with self._connection() as connection:
            async with connection.pipeline():
                await connection.execute(load_query("set_tenant"), self.scope_of(tenant))
                cursor = await connection.execute(load_query(query), parameters)
            return await cursor.fetchall() if cursor.description else []

    async def run_all(self, tenant: str, statements: Sequence[tuple[str, Mapping[str, Any]]]) -> list[list[Row]]:
        """Run several statements in one round trip and one transaction; return the rows of each."""
        async with self._connection() as connection:
            async with connection.pipeline():
                await connection.execute(load_query("set_tenant"), self.scope_of(tenant))
                cursors = [await connection.execute(load_query(query), values) for query, values in statements]
            return [await cursor.fetchall() if cursor.description else [] for cursor in cursors]

    @asynccontextmanager
    async def transaction(self, tenant: str) -> AsyncIterator[Transaction]:
        """Open a transaction as `tenant`; it commits at the end of the block and rolls back when the block raises."""
        async with self._connection() as connection, connection.transaction():
            await connection.execute(load_query("set_tenant"), self.scope_of(tenant))
            yield Transaction(connection)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[_Connection]:
        """Lend a connection; close it when its server has become read-only, for a new one may lead elsewhere."""
        async with self._pool.connection() as connection:
            try:
                yield connection
            except errors.ReadOnlySqlTransaction:
                await connection.close()
                raise

    async def connect_apart(self) -> psycopg.AsyncConnection[Row]:
        """Open a connection beside the pool whose first statement begins a transaction; the caller closes it."""
        return await _Connection.connect(self._url, **self._parameters | {"autocommit": False})

    async def _configure(self, connection: _Connection) -> None:
        connection.on_silence = self._drain
        connection.made_at = asyncio.get_running_loop().time()
        self._connections.add(connection)
        async with connection.pipeline():
            await connection.execute(_PIN_FORMATS)
            await connection.execute(_LOWER_ROLE, {"role": APPLICATION_ROLE})
            cursor = await connection.execute(_FIND_ROLE)
        check_encoding(connection, self.address)
        role = await cursor.fetchone()
        if role is not None and role["above"]:
            raise ServerUnfit(
                "PostgreSQL",
                self.address,
                [f"the role {role['name']} is above row-level security, so tenants would not be apart"],
                f"run `fte migrate`, which makes the role {APPLICATION_ROLE} for it to step down to, or connect as a "
                f"plain role that has GRANT {APPLICATION_ROLE}",
            )

    async def _check_time_limits(self, connection: _Connection) -> None:
        """Check that the login brings the time limits that we cannot ask for: a pooler takes no options."""
        cursor = await connection.execute(
            "SELECT current_setting('statement_timeout') AS longest, session_user AS login"
        )
        row = await cursor.fetchone()
        if row is not None and row["longest"] == "0":
            limits = ", ".join(f"{name} = '{value}'" for name, value in _TIME_LIMITS.items())
            raise ServerUnfit(
                "PostgreSQL",
                self.address,
                [f"behind a pooler (FTE_DATABASE_POOLED) the login {row['login']} brings no time limits"],
                f"ALTER ROLE {row['login']} SET each of {limits}; docs/tenants.md has the statements",
            )

    def _drain(self) -> None:
        """Replace all connections: when one has gone silent the others have too, and each would cost its own wait.

        Statements that wait on a connection made before the silence began fail at once.
        """
        began = asyncio.get_running_loop().time() - ANSWER_SECONDS_MAX
        for connection in list(self._connections):
            if connection.is_waiting and connection.made_at <= began:
                connection.hang_up()
        if self._draining is None or self._draining.done():
            self._draining = asyncio.create_task(self._pool.drain())


async def _is_fenced(connection: _Connection) -> bool:
    cursor = await connection.execute(_FIND_FENCE, {"fenced": HTTP_ROLE, "unfenced": APPLICATION_ROLE})
    row = await cursor.fetchone()
    return row is not None and bool(row["is_fenced"])


async def _try_again(pool: AsyncConnectionPool[Any]) -> None:
    await pool.check()  # which makes an empty pool grow


def connect(database_url: str) -> psycopg.Connection[Row]:
    """Open one connection for a command: autocommit, with the rights of the user that connects.

    Raises ServerUnreachable naming the address and the setting.
    """
    try:
        connection = psycopg.connect(
            database_url,
            autocommit=True,
            row_factory=dict_row,
            connect_timeout=5,
            client_encoding="utf8",
            prepare_threshold=None,  # a command runs a statement a few times, and may do so behind an older pooler
        )
        connection.execute(_PIN_FORMATS)
    except psycopg.Error as error:
        raise ServerUnreachable(
            "PostgreSQL", address_of(database_url), "FTE_DATABASE_URL", reason_of(error, database_url)
        ) from None
    return connection


def check_encoding(connection: psycopg.Connection[Row] | psycopg.AsyncConnection[Row], address: str) -> None:
    """Check that a database's encoding can hold every character; raises ServerUnfit naming the encoding."""
    found = connection.info.parameter_status("server_encoding")
    if found not in ENCODINGS:
        raise ServerUnfit(
            "PostgreSQL",
            address,
            [f"the database's encoding is {found}, which lacks characters that customers write"],
            "make one with CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0",
        )


def _parameters_of(url: str, *, is_pooled: bool) -> dict[str, Any]:
    """Return the connection parameters of the pool, on top of those in the address.

    Options in the address, or in PGOPTIONS, stay beside ours: they may set the search path. A pooler of transactions
    lends each of them another connection, so behind one there is nothing that belongs to a connection: no options, and
    no prepared statements, which PgBouncer knows from 1.21 on alone.
    """
    try:
        given = conninfo_to_dict(url)
    except psycopg.Error:  # connecting says so
        given = {}
    options = str(given.get("options") or os.environ.get("PGOPTIONS") or "")
    defaults = {name: value for name, value in _DEFAULTS.items() if name not in given}
    of_connection: dict[str, Any] = {"options": f"{options} {_OPTIONS}".strip()}
    return {
        **defaults,
        **({"prepare_threshold": None} if is_pooled else of_connection),
        "client_encoding": "utf8",
        "autocommit": True,
        "row_factory": dict_row,
    }


set_json_dumps(dump_json)
