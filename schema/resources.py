"""Load the SQL statements, Lua scripts and migrations that stand beside this file."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import NamedTuple

_MIGRATION_NAME = re.compile(r"^(\d{4})_[a-z0-9_]+\.sql$")


class Migration(NamedTuple):
    """Hold one numbered, forward-only step of the database's structure."""

    number: int
    name: str
    sql: str


@cache
def load_query(name: str) -> str:
    """Read one statement from `schema/queries/<name>.sql`."""
    return (files("schema") / "queries" / f"{name}.sql").read_text()


@cache
def load_script(name: str) -> str:
    """Read one script from `schema/scripts/<name>.lua`."""
    return (files("schema") / "scripts" / f"{name}.lua").read_text()


@cache
def load_migrations() -> tuple[Migration, ...]:
    """Read all migrations, lowest number first."""
    found = []
    for entry in (files("schema") / "migrations").iterdir():
        match = _MIGRATION_NAME.match(entry.name)
        if match:
            found.append(Migration(int(match[1]), entry.name.removesuffix(".sql"), entry.read_text()))
    return tuple(sorted(found))
