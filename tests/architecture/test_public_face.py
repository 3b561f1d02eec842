"""Keep the library's public face whole: what the documentation imports to embed it comes from `producer` alone."""

from __future__ import annotations

import ast
import re

import pytest

import producer
from tests.architecture import sources

FOR_OPERATORS = {"ops.desk.tickets", "runtime.configuration", "runtime.database"}
"""What the documentation imports beside it: how a ticket is opened, which takes the database and the keys."""


def imports_of(document: str) -> set[str]:
    """Name the modules that a document's Python examples import names from."""
    text = (sources.ROOT / document).read_text(encoding="utf-8")
    examples = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    nodes = [node for example in examples for node in ast.walk(ast.parse(example))]
    return {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}


@pytest.mark.parametrize("document", ["README.md", "docs/gateway.md"])
def test_the_examples_of_a_gateway_need_nothing_but_the_public_face(document: str) -> None:
    ours = {module for module in imports_of(document) if module.split(".")[0] in sources.PACKAGES}

    assert "producer" in ours
    assert ours - {"producer"} <= FOR_OPERATORS


def test_every_name_of_the_public_face_is_there_and_documented() -> None:
    undocumented = [name for name in producer.__all__ if not (getattr(producer, name).__doc__ or "").strip()]

    assert sorted(producer.__all__) == producer.__all__
    assert undocumented == []
