"""Errors of commands: one line for the terminal, and the exit code."""

from __future__ import annotations

from redis.exceptions import RedisError

from ops.cli.servers import NoServers
from ops.database.migrate import MigrationFailed
from ops.embedded import EmbeddedStackError
from ops.standalone.standalone import WorkerNotReady
from runtime.outage import POSTGRESQL_AWAY
from schema.errors import FteError, InvalidSettings, SchemaOutdated, ServerUnfit, ServerUnreachable

EXIT_REFUSED = 1
"""The command could not do what was asked."""

EXIT_UNUSABLE = 2
"""The command could not begin: wrong usage, wrong settings, or a server that does not answer."""

# These are for whoever runs the servers to repair; the rest for whoever gave the command.
_UNUSABLE = (
    EmbeddedStackError,
    InvalidSettings,
    MigrationFailed,
    NoServers,
    RedisError,
    SchemaOutdated,
    ServerUnfit,
    ServerUnreachable,
    WorkerNotReady,
    *POSTGRESQL_AWAY,
)


def exit_code_of(error: Exception) -> int | None:
    """Return the exit code for an error that a command may end with; None for a bug of this program."""
    if isinstance(error, _UNUSABLE):
        return EXIT_UNUSABLE
    return EXIT_REFUSED if isinstance(error, FteError) else None


def describe(error: Exception) -> str:
    """Return an error's text for the terminal; of a server's own error only the first line."""
    text = str(error).strip() or type(error).__name__
    return text if isinstance(error, FteError) else text.splitlines()[0]
