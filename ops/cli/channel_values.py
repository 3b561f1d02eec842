"""Read settings of a channel account as `NAME=VALUE`, and its secrets from a file, standard input or a prompt."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from schema.channel_accounts import SETTINGS_OF

if TYPE_CHECKING:
    from collections.abc import Sequence

SECRETS_BYTES_MAX = 65_536


def read_values(channel: str, texts: Sequence[str]) -> dict[str, Any]:
    """Parse `NAME=VALUE`s: lists are split at commas, and nothing after the sign takes a setting back (None).

    Raises typer.BadParameter for what is no such pair.
    """
    fields = SETTINGS_OF[channel].model_fields
    found: dict[str, Any] = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign or not name:
            raise typer.BadParameter(f"{name!r}: give NAME=VALUE", param_hint="NAME=VALUE")
        is_list = name in fields and str(fields[name].annotation).startswith("tuple")
        items = [part.strip() for part in value.split(",") if part.strip()]
        found[name] = None if not value else items if is_list else value
    return found


def read_secrets(source: str | None, wanted: Sequence[str]) -> dict[str, Any]:
    """Read secrets, `NAME=VALUE` a line: from a file, from standard input (`-`), or by asking for those wanted.

    `shared_keys.<id>=…` is one of a set. Raises typer.BadParameter naming lines, never their values.
    """
    if source is None:
        return {name: typer.prompt(name, hide_input=True) for name in wanted}
    if source == "-":
        text = sys.stdin.read(SECRETS_BYTES_MAX)
    else:
        try:
            text = Path(source).read_text(encoding="utf-8")[:SECRETS_BYTES_MAX]
        except (OSError, UnicodeDecodeError) as error:
            raise typer.BadParameter(f"cannot be read: {type(error).__name__}", param_hint="--secrets") from None
    found: dict[str, Any] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, sign, value = line.partition("=")
        if not sign:
            raise typer.BadParameter(f"line {number}: give NAME=VALUE", param_hint="--secrets")
        group, dot, key = name.strip().partition(".")
        if dot:
            found.setdefault(group, {})[key] = value.strip() or None
        else:
            found[group] = value.strip() or None
    return found
