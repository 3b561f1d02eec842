"""Keep folders of the product from reaching each other both ways, at any depth."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise

import grimp
import pytest

from tests.architecture import sources

Import = tuple[str, str]
"""A module, and one that it imports."""


def folder_circles(imports: Iterable[Import], packages: frozenset[str]) -> list[list[Import]]:
    """Return one circle for each level of folders that has any: imports that lead from folder to folder and back.

    Two kinds of level. Inside each package, its modules and subpackages are the places, a subpackage with all that is
    below it: so two folders that do not lie in each other are compared at the place where their paths part. And over
    the whole product a folder is the files that lie in it directly: so a folder is compared with its own subfolders.
    """
    levels: dict[str, dict[str, dict[str, Import]]] = defaultdict(lambda: defaultdict(dict))
    for importer, imported in sorted(imports):
        for level, place, reached in _steps(importer, imported, packages):
            levels[level][place].setdefault(reached, (importer, imported))
    circles = (_circle(levels[level]) for level in sorted(levels))
    return [circle for circle in circles if circle]


def _steps(importer: str, imported: str, packages: frozenset[str]) -> Iterator[tuple[str, str, str]]:
    """Give the levels on which an import leads from one place to another, with the two places."""
    paths = [_path(module, packages) for module in (importer, imported)]
    shared = next(depth for depth, (one, other) in enumerate(zip(*paths, strict=False)) if one != other)
    place, reached = (".".join(path[: shared + 1]) for path in paths)
    yield f"inside {place.rpartition('.')[0]}", place, reached
    folder, reached_folder = (".".join(path[:-1]) for path in paths)
    if folder != reached_folder:
        yield "folders", folder, reached_folder


def _path(module: str, packages: frozenset[str]) -> list[str]:
    """Split a module's name; a package's own file is one among those that lie in it."""
    return [*module.split("."), *(["__init__"] if module in packages else [])]


def _circle(reached: dict[str, dict[str, Import]]) -> list[Import]:
    try:
        TopologicalSorter(reached).prepare()
    except CycleError as error:
        places: list[str] = error.args[1][::-1]  # the sorter puts first what is imported
        return [reached[place][following] for place, following in pairwise(places)]
    return []


@pytest.fixture(scope="module")
def product() -> grimp.ImportGraph:
    return grimp.build_graph(*sources.PACKAGES, cache_dir=None)


@pytest.fixture(scope="module")
def packages(product: grimp.ImportGraph) -> frozenset[str]:
    return frozenset(module for module in product.modules if product.find_children(module))


@pytest.fixture(scope="module")
def imports(product: grimp.ImportGraph) -> frozenset[Import]:
    return frozenset(
        (importer, imported)
        for importer in product.modules
        for imported in product.find_modules_directly_imported_by(importer)
    )


def test_no_two_folders_reach_each_other(imports: frozenset[Import], packages: frozenset[str]) -> None:
    assert folder_circles(imports, packages) == []


def from_its_first(circle: list[Import]) -> list[Import]:
    """Turn a circle until its first import by name stands first."""
    start = circle.index(min(circle))
    return circle[start:] + circle[:start]


@pytest.mark.parametrize(
    ("imports", "packages", "levels"),
    [
        pytest.param([("a.x", "b.x"), ("b.y", "a.y")], {"a", "b"}, 2, id="side-by-side"),
        pytest.param([("p.a.x", "p.b.x"), ("p.b.y", "p.a.y")], {"p", "p.a", "p.b"}, 2, id="side-by-side-in-a-folder"),
        pytest.param([("a.x", "b.x"), ("b.y", "c.x"), ("c.y", "a.y")], {"a", "b", "c"}, 2, id="a-long-way-round"),
        pytest.param(
            [("a.m.x", "b.m.x"), ("b.n.x", "a.n.x")], {"a", "b", "a.m", "a.n", "b.m", "b.n"}, 1, id="by-parts"
        ),
        pytest.param([("a.x", "a.b.x"), ("a.b.y", "a.y")], {"a", "a.b"}, 1, id="one-in-the-other"),
        pytest.param([("a", "a.b.x"), ("a.b.y", "a.y")], {"a", "a.b"}, 1, id="by-the-package-itself"),
    ],
)
def test_folders_that_reach_each_other_are_found_on_every_level(
    imports: list[Import], packages: set[str], levels: int
) -> None:
    circles = folder_circles([*imports, ("a.x", "d.x"), ("d.x", "d.y")], frozenset({*packages, "d"}))

    assert [from_its_first(circle) for circle in circles] == [from_its_first(imports)] * levels


def test_folders_that_reach_one_way_only_are_no_circle() -> None:
    imports = [("a.x", "a.y"), ("a.x", "b.x"), ("a.y", "a.b.x"), ("a.b.x", "b.y"), ("a", "a.x")]

    assert folder_circles(imports, frozenset({"a", "b", "a.b"})) == []
