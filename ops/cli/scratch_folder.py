"""Give a command a folder of its own, which is kept when something went wrong in it."""

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
    """Hold such a folder."""

    path: Path
    is_kept: bool = True
    """Until it is known that all went well."""


@contextmanager
def folder_apart(console: Console, command: str, kept: str) -> Iterator[Apart]:
    """Make the folder for the block; `kept` says what is in it, before its path. An interruption leaves none behind."""
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
