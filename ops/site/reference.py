"""Make the reference pages of the documentation: settings, commands, the HTTP interface, the database."""

from __future__ import annotations

import re
from inspect import cleandoc
from typing import TYPE_CHECKING, Any, Final

import typer

from ops.cli.main import app
from ops.cli.settings import describe_settings
from runtime.encoding import parse_json
from schema.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

_METHODS: Final = ("get", "put", "post", "patch", "delete")
_DEFAULT_OF_THE_MACHINE: Final = {"FTE_STATE_DIR": "~/.local/state/fte"}
"""Settings whose default depends on who asks."""


def settings_page() -> str:
    """Return a table of every setting with its default and what it is for."""
    rows = [
        (f"`{row['setting']}`", _code(_DEFAULT_OF_THE_MACHINE.get(row["setting"], row["default"])), row["description"])
        for row in describe_settings(Settings.model_construct())
    ]
    head = (
        "Environment variables; `fte settings` shows their values. [What they do together](../operations.md#settings)."
    )
    return f"# Settings\n\n{head}\n\n" + _table(("setting", "default", "what it is for"), rows)


def commands_page() -> str:
    """Return every command of `fte` with its arguments and options."""
    root: Any = typer.main.get_command(app)
    parts = ["# Commands", "`fte COMMAND --help` says the same. Exit code 2: wrong usage, or no server."]
    for name, command in _commands(root):
        parts += [f"## fte {name}", _escaped(cleandoc(command.help or ""))]
        rows = [
            (f"`{', '.join(_names(parameter))}`", _escaped(getattr(parameter, "help", None) or ""))
            for parameter in command.params
            if "--help" not in parameter.opts and not getattr(parameter, "hidden", False)
        ]
        if rows:
            parts.append(_table(("argument or option", "meaning"), rows).rstrip())
    return "\n\n".join(parts) + "\n"


def http_page(contract: Path) -> str:
    """Return every operation of the HTTP interface, as its OpenAPI document has them."""
    document: dict[str, Any] = parse_json(contract.read_bytes())
    rows = [
        (f"`{method.upper()} {path}`", _escaped(operation.get("summary", "")))
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if method in _METHODS
    ]
    head = (
        "Whole with every body and answer: `openapi.json`, or `/v1/docs` of a running gateway. [How to](../gateway.md)."
    )
    return f"# HTTP\n\n{head}\n\n" + _table(("operation", "what it does"), rows)


def database_page(structure: Path) -> str:
    """Return the tables of the database with their columns, as `schema/structure.sql` has them."""
    parts = ["# Database", "As `fte migrate` leaves it. Every table is under row-level security by `tenant_id`."]
    text = structure.read_text(encoding="utf-8")
    for name, body in re.findall(r"CREATE TABLE public\.(\w+) \(\n(.*?)\n\)", text, re.DOTALL):
        columns = re.findall(r"^    (\w+) ([^\n]*?),?$", body, re.MULTILINE)
        rows = [(f"`{column}`", f"`{kind}`") for column, kind in columns if column != "CONSTRAINT"]
        parts += [f"## {name}", _table(("column", "type"), rows).rstrip()]
    return "\n\n".join(parts) + "\n"


def _commands(group: Any, above: str = "") -> Iterator[tuple[str, Any]]:
    commands: Mapping[str, Any] = group.commands
    for name, command in commands.items():
        if command.hidden:
            continue
        if hasattr(command, "commands"):
            yield from _commands(command, f"{above}{name} ")
        else:
            yield f"{above}{name}", command


def _names(parameter: Any) -> list[str]:
    if parameter.param_type_name == "argument":
        return [parameter.metavar or parameter.name.upper()]
    return [*parameter.opts, *parameter.secondary_opts]


def _code(value: Any) -> str:
    return "" if value in (None, [], "") else f"`{value}`"


def _escaped(text: str) -> str:
    """Return text whose brackets are no links, and whose angles are no tags."""
    return re.sub(r"([\[\]<>|])", r"\\\1", text)


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join(f"| {' | '.join(' '.join(cell.split()) for cell in line)} |\n" for line in lines)
