"""Say what went wrong in one line, and with which exit code a command ends."""

from __future__ import annotations

import psycopg
from psycopg_pool import PoolTimeout
from redis.exceptions import RedisError

from ops.cli.servers import NoServers
from ops.database.migrate import MigrationFailed
from ops.embedded import EmbeddedStackError
from ops.standalone.standalone import WorkerNotReady
from schema.errors import FteError, InvalidSettings, SchemaOutdated, ServerUnreachable

EXIT_REFUSED = 1
"""What was asked for could not be done."""

EXIT_UNUSABLE = 2
"""The command could not begin: wrong usage, wrong settings, or a server that does not answer."""

# Mended by whoever runs the servers; the rest by whoever gave the command.
_UNUSABLE = (
    EmbeddedStackError,
    InvalidSettings,
    MigrationFailed,
    NoServers,
    PoolTimeout,
    RedisError,
    SchemaOutdated,
    ServerUnreachable,
    WorkerNotReady,
    psycopg.OperationalError,
)


def exit_code_of(error: Exception) -> int | None:
    """Give the exit code for an error that a command may end with; None for one that is a fault of this program."""
    if isinstance(error, _UNUSABLE):
        return EXIT_UNUSABLE
    return EXIT_REFUSED if isinstance(error, FteError) else None


def describe(error: Exception) -> str:
    """Word an error for the terminal; a server's own errors run over lines that say nothing more."""
    text = str(error).strip() or type(error).__name__
    return text if isinstance(error, FteError) else text.splitlines()[0]
