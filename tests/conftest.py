"""Mark every test by the folder it stands in."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

TESTS: Final = Path(__file__).parent
FOLDER_MARKERS: Final = frozenset({"integration", "acceptance", "chaos"})


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each test its folder's marker, so that `-m "not chaos"` works and nobody has to remember one."""
    for item in items:
        folder = item.path.relative_to(TESTS).parts[0]
        if folder in FOLDER_MARKERS:
            item.add_marker(folder)
