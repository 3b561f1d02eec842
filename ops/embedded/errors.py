"""Errors of the embedded stack, as conditions that carry their data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schema.errors import FteError

if TYPE_CHECKING:
    from pathlib import Path


class EmbeddedStackError(FteError):
    """The embedded stack could not do what was asked; the text says why and the way out."""


class StateFolderRefused(EmbeddedStackError):
    """A state folder that cannot be used safely, and why."""

    def __init__(self, state_dir: Path, reason: str) -> None:
        super().__init__(f"state folder {state_dir} refused: {reason}")
        self.state_dir = state_dir
        self.reason = reason


class StackHeld(EmbeddedStackError):
    """Another process already runs the stack of this state folder."""

    def __init__(self, state_dir: Path, holder_pid: int | None) -> None:
        holder = "another process" if holder_pid is None else f"pid {holder_pid}"
        super().__init__(
            f"the embedded stack of {state_dir} is held by {holder}; stop it, use the addresses in stack.json, "
            "or choose another state folder",
        )
        self.state_dir = state_dir
        self.holder_pid = holder_pid


class StackNotStarted(EmbeddedStackError):
    """The stack was asked for something that it can do only between start() and stop()."""

    def __init__(self, state_dir: Path) -> None:
        super().__init__(f"the embedded stack of {state_dir} is not started by this process; call start() first")
        self.state_dir = state_dir


class ProgramMissing(EmbeddedStackError):
    """A server program that is not installed for this platform."""

    def __init__(self, program: str, distribution: str) -> None:
        super().__init__(
            f"no program {program!r} in the distribution {distribution!r}; install it, or point FTE_DATABASE_URL and "
            "FTE_REDIS_URL at servers of your own",
        )
        self.program = program
        self.distribution = distribution


class AccountMissing(EmbeddedStackError):
    """Root finds no unprivileged account to run the servers under."""

    def __init__(self, wanted: tuple[str, ...]) -> None:
        super().__init__(
            f"running as root and none of the accounts {', '.join(wanted)} exists; PostgreSQL refuses to run as root, "
            "so create one of them or run as an ordinary user",
        )
        self.wanted = wanted


class ServerNotStarted(EmbeddedStackError):
    """A server that did not come up, with the end of its log."""

    def __init__(self, server: str, reason: str, log_tail: str) -> None:
        super().__init__(f"{server} did not start: {reason}\n{log_tail}".rstrip())
        self.server = server
        self.reason = reason
        self.log_tail = log_tail

    @property
    def port_taken(self) -> bool:
        """Check whether the port was taken, so that another port helps.

        The servers run with LC_ALL=C, so this is the text of EADDRINUSE on every platform.
        """
        return "Address already in use" in self.log_tail
