"""Dump a database's structure as text, so that two databases can be compared."""

from __future__ import annotations

import re
import subprocess
import tempfile
from pathlib import Path

from ops.embedded.account import choose_account
from ops.embedded.programs import find_programs

DUMP_SECONDS_MAX = 60

# What pg_dump writes about the session and not the structure: comments, settings, psql's \restrict with its token.
_NOISE = re.compile(r"^(--.*|SET .*;|SELECT pg_catalog\.set_config\(.*|\\(un)?restrict .*)$", re.MULTILINE)
_BLANK_LINES = re.compile(r"\n{3,}")
_HEADER = (
    "-- What the migrations add up to; remade by `python -m ops.database.migrate --write-structure`, never edited.\n\n"
)


def dump_structure(database_url: str) -> str:
    """Return the structure of a database's tables, functions and policies, without owners, grants and rows.

    Raises subprocess.CalledProcessError with pg_dump's output.
    """
    with tempfile.TemporaryDirectory() as folder:
        pg_dump = find_programs(choose_account(Path(folder) / "postgres")).initdb.with_name("pg_dump")
    arguments = ["--schema-only", "--no-owner", "--no-privileges", f"--dbname={database_url}"]
    written = subprocess.run(
        [str(pg_dump), *arguments], check=True, capture_output=True, encoding="utf-8", timeout=DUMP_SECONDS_MAX
    ).stdout
    return _HEADER + _BLANK_LINES.sub("\n\n", _NOISE.sub("", written)).strip() + "\n"
