"""Name what can go wrong with the embedded stack, as conditions that carry their data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schema.errors import FteError

if TYPE_CHECKING:
    from pathlib import Path


class EmbeddedStackError(FteError):
    """Say that the embedded stack could not do what was asked; the text says why and the way out."""


class StateFolderRefused(EmbeddedStackError):
    """Say that a state folder cannot be used safely, and why."""

    def __init__(self, state_dir: Path, reason: str) -> None:
        super().__init__(f"state folder {state_dir} refused: {reason}")
        self.state_dir = state_dir
        self.reason = reason


class StackHeld(EmbeddedStackError):
    """Say that another process already runs the stack of this state folder."""

    def __init__(self, state_dir: Path, holder_pid: int | None) -> None:
        holder = "another process" if holder_pid is None else f"pid {holder_pid}"
        super().__init__(
            f"the embedded stack of {state_dir} is held by {holder}; stop it, use the addresses in stack.json, "
            "or choose another state folder",
        )
        self.state_dir = state_dir
        self.holder_pid = holder_pid


class StackNotStarted(EmbeddedStackError):
    """Say that the stack was asked for something it can do only between start() and stop()."""

    def __init__(self, state_dir: Path) -> None:
        super().__init__(f"the embedded stack of {state_dir} is not started by this process; call start() first")
        self.state_dir = state_dir


class ProgramMissing(EmbeddedStackError):
    """Say that a server program is not installed for this platform."""

    def __init__(self, program: str, distribution: str) -> None:
        super().__init__(
            f"no program {program!r} in the distribution {distribution!r}; install it, or point FTE_DATABASE_URL and "
            "FTE_REDIS_URL at servers of your own",
        )
        self.program = program
        self.distribution = distribution


class AccountMissing(EmbeddedStackError):
    """Say that root has no unprivileged account to lend to the servers."""

    def __init__(self, wanted: tuple[str, ...]) -> None:
        super().__init__(
            f"running as root and none of the accounts {', '.join(wanted)} exists; PostgreSQL refuses to run as root, "
            "so create one of them or run as an ordinary user",
        )
        self.wanted = wanted


class ServerNotStarted(EmbeddedStackError):
    """Say that a server did not come up, with the end of its log."""

    def __init__(self, server: str, reason: str, log_tail: str) -> None:
        super().__init__(f"{server} did not start: {reason}\n{log_tail}".rstrip())
        self.server = server
        self.reason = reason
        self.log_tail = log_tail

    @property
    def port_taken(self) -> bool:
        """Say whether the port was the trouble, so that trying another one is the cure.

        The servers run with LC_ALL=C, so this is the text of EADDRINUSE on every platform.
        """
        return "Address already in use" in self.log_tail
