"""Choose the system account the servers run under."""

from __future__ import annotations

import os
import pwd
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

from ops.embedded.errors import AccountMissing

if TYPE_CHECKING:
    from pathlib import Path

# A machine that has a `postgres` account made it for this purpose, and nothing else runs under it; `nobody` exists
# everywhere but is shared. No account is ever created: an embedded stack has no business in /etc/passwd.
LENT_ACCOUNTS = ("postgres", "nobody")


class AccountArguments(TypedDict, total=False):
    """The arguments of `subprocess.Popen` that change to an account."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True, slots=True)
class ServerAccount:
    """A numeric user and group, and whether they differ from those of this process."""

    uid: int
    gid: int
    lent: bool

    def popen_arguments(self) -> AccountArguments:
        """Return the arguments that run a child under this account; none when it is our own."""
        if not self.lent:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def own(self, path: Path) -> None:
        """Make this account the owner of a file or folder."""
        if self.lent:
            os.chown(path, self.uid, self.gid)

    def reaches(self, folder: Path) -> bool:
        """Check whether this account can enter a folder by its path.

        Asks the kernel by entering it in a child rather than adding up mode bits: ACLs, mounts and security modules
        count too.
        """
        return not self.lent or self._tries('cd -- "$1"', folder)

    def reads(self, file: Path) -> bool:
        """Check whether this account can read a file by its path."""
        return not self.lent or self._tries('test -r "$1"', file)

    def executes(self, program: Path) -> bool:
        """Check whether this account can run a program by its path."""
        return not self.lent or self._tries('test -x "$1"', program)

    def _tries(self, script: str, path: Path) -> bool:
        completed = subprocess.run(
            ["/bin/sh", "-c", script, "sh", str(path.absolute())],
            cwd="/",
            check=False,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **self.popen_arguments(),
        )
        return completed.returncode == 0


def choose_account(data_dir: Path) -> ServerAccount:
    """Choose the account for the servers whose data live in `data_dir`.

    An ordinary user runs them as itself. Root runs them under an unprivileged account; existing data keep their owner,
    so an account created on the machine later does not lock the stack out of its own data.

    Raises:
        AccountMissing: root, and the machine has none of `LENT_ACCOUNTS`.

    """
    if os.geteuid() != 0:
        return ServerAccount(os.geteuid(), os.getegid(), lent=False)
    if data_dir.exists() and (owner := data_dir.stat()).st_uid != 0:
        return ServerAccount(owner.st_uid, owner.st_gid, lent=True)
    for name in LENT_ACCOUNTS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return ServerAccount(entry.pw_uid, entry.pw_gid, lent=True)
    raise AccountMissing(LENT_ACCOUNTS)
