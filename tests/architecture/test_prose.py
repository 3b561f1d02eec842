"""Keep what the project says in Markdown readable beside code: no line wider than the code's."""

from __future__ import annotations

import tomllib

import pytest

from tests.architecture import sources


def columns_max() -> int:
    """Read how wide a line of code may be."""
    width: int = tomllib.loads((sources.ROOT / "pyproject.toml").read_text())["tool"]["ruff"]["line-length"]
    return width


def wide_lines(text: str) -> list[int]:
    """List the numbers of the lines that are too wide; a table's row cannot be wrapped."""
    columns = columns_max()
    return [
        number
        for number, line in enumerate(text.splitlines(), start=1)
        if len(line) > columns and not line.startswith("|")
    ]


def wide() -> dict[str, list[int]]:
    """Map each Markdown file of the project to its lines that are too wide, where it has any."""
    files = [*sources.ROOT.glob("*.md"), *sources.paths("*.md", "docs", *sources.PACKAGES, "tests")]
    found = {file.relative_to(sources.ROOT).as_posix(): wide_lines(file.read_text(encoding="utf-8")) for file in files}
    return {place: numbers for place, numbers in found.items() if numbers}


def test_no_line_of_prose_is_wider_than_code() -> None:
    assert wide() == {}


@pytest.mark.parametrize(("line", "found"), [("x" * 120, []), ("x" * 121, [1]), ("| " + "x" * 121 + " |", [])])
def test_a_line_is_measured_in_characters_unless_it_is_a_row_of_a_table(line: str, found: list[int]) -> None:
    assert wide_lines(line) == found
