"""Give acceptance tests the product as a user has it: `fte` processes, and one stack that is up for all of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.acceptance.fte_process import Fte, Up


@pytest.fixture(scope="session")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """Run `fte up` with one worker for the whole run; a test uses conversations of its own."""
    fte = Fte(tmp_path_factory.mktemp("up"))
    with fte.up() as running:
        yield running
