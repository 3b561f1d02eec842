"""Hold the SQL and Lua files to their headers: what a reader must know before the first statement."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

from tests.architecture import sources

QUERY_NAME: Final = re.compile(r"[a-z]+(_[a-z]+)+\.sql")


def header(text: str) -> str:
    """Return the comment lines that open an SQL or Lua file, without their dashes."""
    lines = text.splitlines()
    end = next((at for at, line in enumerate(lines) if not line.startswith("--")), len(lines))
    return "\n".join(line.removeprefix("--").strip() for line in lines[:end])


def relative(path: Path) -> str:
    return path.relative_to(sources.ROOT).as_posix()


@pytest.mark.parametrize("path", sources.paths("*.sql", "schema"), ids=relative)
def test_an_sql_file_opens_with_what_it_does(path: Path) -> None:
    assert header(path.read_text()) != ""


@pytest.mark.parametrize("path", sources.paths("*.sql", "schema/queries"), ids=relative)
def test_a_query_is_named_for_a_verb_and_a_noun(path: Path) -> None:
    assert QUERY_NAME.fullmatch(path.name)


@pytest.mark.parametrize("path", sources.paths("*.lua", "schema/scripts"), ids=relative)
def test_a_script_opens_with_the_map_of_its_keys(path: Path) -> None:
    opening = header(path.read_text())

    assert [word for word in ("KEYS", "ARGV", "Returns", "Keeps") if word not in opening] == []


def test_a_comment_below_the_first_statement_is_no_header() -> None:
    assert header("SELECT 1;\n-- Too late.\n") == ""
