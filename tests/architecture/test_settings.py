"""Keep the parts of the product from taking all settings where they read one section."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Final

import pytest

from tests.architecture import sources
from tests.architecture.sources import Source

TAKES_ALL: Final = {
    "ops/standalone/deliverer.py": "hands all settings on to the process that it starts",
    "ops/standalone/gateways.py": "hands all settings on to the processes that it starts",
    "ops/standalone/standalone.py": "hands all settings on to the processes that it starts",
    "ops/watch/doctor.py": "judges whatever settings are unwise",
    "runtime/configuration.py": "writes all settings down for another process",
    "worker/app.py": "starts a worker",
    "worker/process/running.py": "starts a worker's service",
    "worker/process/service.py": "composes a worker: hands each part its section",
    "worker/pipeline/act.py": "reads what concerns the turn, the model, abuse, traces and load tests",
}
"""The files outside of the command line's and the lab's with a part that takes all settings, and why it does."""


def places_that_take_all(source: Source) -> list[int]:
    """List the lines with a parameter, a field or an alias of the type `Settings`."""
    annotations = [
        node.annotation
        for node in ast.walk(source.tree)
        if isinstance(node, (ast.arg, ast.AnnAssign)) and node.annotation is not None
    ]
    return sorted(node.lineno for node in annotations if _names_settings(node))


def _names_settings(annotation: ast.expr) -> bool:
    names = {node.id for node in ast.walk(annotation) if isinstance(node, ast.Name)}
    texts = {node.value for node in ast.walk(annotation) if isinstance(node, ast.Constant)}
    return "Settings" in names | texts


def test_a_part_takes_its_section_of_the_settings() -> None:
    parts = [source for source in sources.product() if not source.place.startswith(("ops/cli/", "ops/lab/"))]

    found = {source.place for source in parts if places_that_take_all(source)}

    assert found == set(TAKES_ALL)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("def f(settings: Settings): ...", [1]),
        ("class C:\n  settings: 'Settings'", [2]),
        ("def f(read: Callable[[], Settings]): ...", [1]),
        ("def f(settings: MailboxSettings): ...", []),
        ("def f() -> Settings: ...", []),
    ],
)
def test_a_parameter_or_field_of_all_settings_is_found(text: str, found: list[int]) -> None:
    assert places_that_take_all(sources.parse(Path(sources.ROOT, "sample.py"), text)) == found
