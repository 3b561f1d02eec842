"""Mark every test by the folder it stands in, and deal the files out when several processes share a run.

The tests that break things mostly wait, and are held to seconds. So the first process has them, and all the rest, which
the others do meanwhile, gives way to them: it runs at the lowest priority.
"""

from __future__ import annotations

import gc
import os
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
HELD_TO_SECONDS: Final = ("tests/chaos/", "tests/acceptance/test_cli_chaos.py")
"""Files that start workers and break them, with bounds in seconds."""
PUNCTUAL: Final = "gw0"
"""The process that runs those files, and helps with the others afterwards."""
LOWEST_PRIORITY: Final = 19
GIVES_WAY: Final = pytest.StashKey[bool]()
"""Whether tests that can wait must make room for such as are held to seconds."""


class FilesTogether(LoadFileScheduling):  # type: ignore[misc] # ships no types
    """Give a file to one process, and so all files that are kept together; what is held to seconds goes to PUNCTUAL."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        if file.startswith(HELD_TO_SECONDS):
            return file
        return next((name for start, name in KEPT_TOGETHER.items() if file.startswith(start)), file)

    def _assign_work_unit(self, node: Any) -> None:
        """Put the files that the process should run next at the head of the queue, and assign the first."""
        held = [scope for scope in self.workqueue if scope.startswith(HELD_TO_SECONDS)]
        others = [scope for scope in self.workqueue if scope not in held]
        if node.gateway.id == PUNCTUAL:
            first = held[0] if held else others[-1]  # of the others a short one: this process has no servers yet
        elif others:
            first = others[0]
        elif any(each.gateway.id == PUNCTUAL for each in self.nodes):
            node.shutdown()
            return
        else:
            first = held[0]
        self.workqueue.move_to_end(first, last=False)
        super()._assign_work_unit(node)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Keep the garbage collector from walking over thousands of tests and all modules, which live to the end anyway."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give each test its folder's marker, so that `-m "not chaos"` works and nobody has to remember one."""
    folders = {item: item.path.relative_to(TESTS).parts[0] for item in items}
    for item, folder in folders.items():
        if folder in FOLDER_MARKERS:
            item.add_marker(folder)
    items.sort(key=lambda item: LONGEST_FIRST.index(folders[item]))
    shares = hasattr(config, "workerinput")
    config.stash[GIVES_WAY] = shares and any(item.nodeid.startswith(HELD_TO_SECONDS) for item in items)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Lower this process's priority, and that of all it starts from now on, at its first test that can wait."""
    if item.config.stash[GIVES_WAY] and not item.nodeid.startswith(HELD_TO_SECONDS):
        os.nice(LOWEST_PRIORITY)
        item.config.stash[GIVES_WAY] = False


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> FilesTogether:
    """Deal out whole files, in the order of the collection."""
    config.option.loadscopereorder = False
    return FilesTogether(config, log)
