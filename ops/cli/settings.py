"""The command `fte settings`: show every setting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ops.cli.options import Json

if TYPE_CHECKING:
    import re

    from schema.settings import Settings
    from schema.settings.knowledge import DocumentationServer


def settings(as_json: Json = False) -> None:
    """Show every setting: its variable, its value now, its default, and what it is for. Secrets are masked."""
    from ops.terminal import open_console, print_line, safe_text
    from runtime.configuration import load_settings
    from runtime.encoding import dump_json

    rows = describe_settings(load_settings())
    if as_json:
        for row in rows:
            print_line(dump_json(row))
        return
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("setting", no_wrap=True)
    table.add_column("value", overflow="fold", max_width=30)
    table.add_column("what it is for", ratio=1, style="dim")
    for row in rows:
        value = safe_text(_shown(row["value"]))
        if row["value"] != row["default"]:
            usual = "" if row["default"] in (None, []) else f"  (default {_shown(row['default'])})"
            value = Text.assemble(safe_text(_shown(row["value"]), "bold yellow"), (usual, "dim"))
        table.add_row(row["setting"], value, Text(row["description"]))
    open_console().print(table)


def describe_settings(values: Settings) -> list[dict[str, Any]]:
    """Return variable, value, default and description of each setting, with secrets and URLs' passwords masked."""
    from runtime.configuration import setting_names

    rows = []
    for variable, field in setting_names().items():
        info = type(values).model_fields[field]
        rows.append(
            {
                "setting": variable,
                "value": _masked(getattr(values, field)),
                "default": _masked(info.get_default(call_default_factory=True)),
                "description": info.description,
            }
        )
    return rows


def _masked(value: Any) -> Any:
    from decimal import Decimal
    from pathlib import Path

    from pydantic import BaseModel, SecretStr

    from schema.settings.knowledge import DocumentationServer

    if isinstance(value, SecretStr):
        return "********"
    if isinstance(value, BaseModel):  # whose secrets are masked by their type
        return _masked_server(value) if isinstance(value, DocumentationServer) else value.model_dump(mode="json")
    if isinstance(value, list):
        return [_masked(item) for item in value]
    if isinstance(value, dict):
        return {name: _masked(item) for name, item in value.items()}
    if isinstance(value, Path | Decimal):
        return str(value)
    return _without_secrets(value) if isinstance(value, str) else value


def _without_secrets(value: str) -> str:
    """Hide the password of a URL and every value of its query; of PostgreSQL's other form what follows `password=`."""
    import re

    value = re.sub(r"(?<=://)([^/\s:@]*):[^/\s]+(?=@)", r"\1:********", value)
    if "://" in value:
        return re.sub(r"([?&#][^=&#\s]*=?)[^&#\s]*", _hide_value, value)
    return re.sub(r"(?i)(\b(?:password|sslpassword)=)[^&\s]+", r"\1********", value)


def _hide_value(part: re.Match[str]) -> str:
    return part[1] + "********" if part[1].endswith("=") else part[0][0] + "********"


def _masked_server(server: DocumentationServer) -> dict[str, Any]:
    """Return a documentation server with its secrets masked; arguments of its command may be keys."""
    shown: dict[str, Any] = server.model_dump(mode="json")  # which masks headers and environment
    shown["url"] = _masked(server.url)
    shown["command"] = [*server.command[:1], *("********" for _ in server.command[1:])]
    return shown


def _shown(value: Any) -> str:
    if value is None or value in ([], {}):
        return "–"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
