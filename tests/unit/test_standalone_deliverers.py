"""The processes that are started beside others, each once."""

from __future__ import annotations

from ops.standalone.deliverer import KINDS


def test_no_process_is_started_twice() -> None:
    processes = [kind.process for kind in KINDS]

    assert sorted(processes) == sorted(set(processes))
    assert "receive-email" in processes
