"""Load the SQL statements, Lua scripts and migrations that stand beside this file."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import NamedTuple

_MIGRATION_NAME = re.compile(r"^(\d{4})_[a-z0-9_]+\.sql$")


class Migration(NamedTuple):
    """One numbered, forward-only migration of the database."""

    number: int
    name: str
    sql: str


@cache
def load_query(name: str) -> str:
    """Read one statement, `schema/queries/<room>/<name>.sql`, by its name alone: names are stored data, rooms are not.

    Raises KeyError for a name that no room has.
    """
    return _queries()[name].read_text(encoding="utf-8")


def list_queries() -> list[str]:
    """List the names of all statements; no two rooms have the same one."""
    return sorted(_queries())


@cache
def _queries() -> dict[str, Traversable]:
    rooms = [entry for entry in (files("schema") / "queries").iterdir() if entry.is_dir()]
    return {entry.name.removesuffix(".sql"): entry for room in rooms for entry in room.iterdir()}


@cache
def load_script(name: str) -> str:
    """Read one script from `schema/scripts/<name>.lua`."""
    return (files("schema") / "scripts" / f"{name}.lua").read_text(encoding="utf-8")


@cache
def load_migrations() -> tuple[Migration, ...]:
    """Read all migrations, lowest number first."""
    found = []
    for entry in (files("schema") / "migrations").iterdir():
        match = _MIGRATION_NAME.match(entry.name)
        if match:
            found.append(Migration(int(match[1]), entry.name.removesuffix(".sql"), entry.read_text(encoding="utf-8")))
    return tuple(sorted(found))
