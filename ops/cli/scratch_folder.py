"""A temporary folder for a command, which is kept when something went wrong."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console


@dataclass
class Apart:
    """A command's temporary folder."""

    path: Path
    is_kept: bool = True
    """False once it is known that all went well."""


@contextmanager
def folder_apart(console: Console, command: str, kept: str) -> Iterator[Apart]:
    """Create the folder for the block; `kept` is printed before the path of a kept one. An interruption keeps none."""
    folder = Apart(Path(tempfile.mkdtemp(prefix=f"fte-{command}-")))
    try:
        yield folder
    except KeyboardInterrupt:
        folder.is_kept = False
        raise
    finally:
        if folder.is_kept:
            console.print(f"{kept} {folder.path}", soft_wrap=True)
        else:
            shutil.rmtree(folder.path, ignore_errors=True)
