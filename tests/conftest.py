"""Mark every test by the folder it stands in, and deal the files out when several processes share a run."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from xdist.scheduler import LoadFileScheduling

if TYPE_CHECKING:
    from collections.abc import Iterator

TESTS: Final = Path(__file__).parent
FOLDER_MARKERS: Final = frozenset({"integration", "acceptance", "chaos"})
LONGEST_FIRST: Final = ("chaos", "acceptance", "integration", "architecture", "unit")
"""So that all processes of a run end at about the same time: what is dealt out last is short."""
KEPT_TOGETHER: Final = {
    "tests/acceptance/": "acceptance",
}
"""Files that one process runs from end to end: the product that acceptance tests share would be started twice."""


class FilesTogether(LoadFileScheduling):  # type: ignore[misc] # ships no types
    """Give a file to one process, and so all files that are kept together."""

    def _split_scope(self, nodeid: str) -> str:
        together = (name for start, name in KEPT_TOGETHER.items() if nodeid.startswith(start))
        return next(together, nodeid.partition("::")[0])


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Keep the garbage collector from walking over thousands of tests and all modules, which live to the end anyway."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each test its folder's marker, so that `-m "not chaos"` works and nobody has to remember one."""
    folders = {item: item.path.relative_to(TESTS).parts[0] for item in items}
    for item, folder in folders.items():
        if folder in FOLDER_MARKERS:
            item.add_marker(folder)
    items.sort(key=lambda item: LONGEST_FIRST.index(folders[item]))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> FilesTogether:
    """Deal out whole files, in the order of the collection."""
    config.option.loadscopereorder = False
    return FilesTogether(config, log)
