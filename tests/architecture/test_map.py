"""Keep the code map of ARCHITECTURE.md true: what it names exists, and it names every module."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("schema", "runtime", "producer", "worker", "ops")


def _mapped() -> list[Path]:
    """Read the first column of the map; a name without a folder stands in the folder of the one before it."""
    text = (ROOT / "ARCHITECTURE.md").read_text()
    table = text.split("## Code map", 1)[1].split("##", 1)[0]
    found = []
    for row in re.findall(r"^\| (`[^|]+`) \|", table, re.MULTILINE):
        folder = ROOT
        for name in re.findall(r"`([^`]+)`", row):
            path = ROOT / name if name.split("/")[0] in (*PACKAGES, "tests") else folder / name
            folder = path.parent
            found.append(path)
    return found


def _is_room(path: Path) -> bool:
    """Tell a folder of ours from one that holds caches alone, as a folder does whose files have moved away."""
    return any(file.is_file() and "__pycache__" not in file.parts for file in path.rglob("*"))


def test_everything_the_map_names_exists() -> None:
    mapped = _mapped()

    assert len(mapped) > 30
    assert [str(path.relative_to(ROOT)) for path in mapped if not path.exists()] == []


def test_every_module_stands_on_the_map() -> None:
    mapped = set(_mapped())

    modules = [
        path
        for package in PACKAGES
        for path in (ROOT / package).iterdir()
        if _is_room(path) or (path.suffix == ".py" and path.name != "__init__.py")
    ]
    assert [str(path.relative_to(ROOT)) for path in modules if path not in mapped] == []
