"""Run `fte` in this process, as its entry point does."""

from __future__ import annotations

import json
from typing import Any
from unittest.mock import patch

import pytest

from ops.cli import servers
from ops.cli.main import run


def run_fte(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any, str]:
    """Run a command line; gives its exit code, its standard output (parsed, with --json) and its standard error."""
    capsys.readouterr()
    # Loggers keep the stream they were set up with, and this one is gone when the test ends.
    with pytest.raises(SystemExit) as ended, patch.object(servers, "configure_logs"):
        run(list(arguments))
    captured = capsys.readouterr()
    output = [json.loads(line) for line in captured.out.splitlines()] if "--json" in arguments else captured.out
    code = ended.value.code
    return (code if isinstance(code, int) else int(code is not None)), output, captured.err
