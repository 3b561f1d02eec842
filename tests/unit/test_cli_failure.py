from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from ops.cli import servers
from ops.cli.failure import EXIT_REFUSED, EXIT_UNUSABLE, describe, exit_code_of
from ops.cli.main import run
from ops.cli.servers import NoServers
from ops.desk.takeover import UnknownConversation
from ops.embedded import StackHeld
from schema.errors import FteError, InvalidSettings, SchemaOutdated, ServerUnreachable, UnknownTenant
from schema.ids import ConversationKey
from tests.unit.cli_harness import run_fte


@pytest.fixture(autouse=True)
def _no_stack(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("FTE_DATABASE_URL", "FTE_REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("FTE_STATE_DIR", str(tmp_path / "state"))


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NoServers(), EXIT_UNUSABLE),
        (InvalidSettings(["FTE_X: no such setting"]), EXIT_UNUSABLE),
        (SchemaOutdated(1, 3), EXIT_UNUSABLE),
        (ServerUnreachable("Redis", "127.0.0.1:1", "FTE_REDIS_URL", "refused"), EXIT_UNUSABLE),
        (StackHeld(Path("/state"), 17), EXIT_UNUSABLE),
        (psycopg.OperationalError("server closed the connection\nunexpectedly"), EXIT_UNUSABLE),
        (UnknownTenant("acme"), EXIT_REFUSED),
        (UnknownConversation(ConversationKey("default", "c1")), EXIT_REFUSED),
        (ZeroDivisionError(), None),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_an_error_ends_with_the_code_of_its_kind(error: Exception, code: int | None) -> None:
    assert exit_code_of(error) == code


def test_a_servers_error_is_told_in_one_line() -> None:
    assert describe(psycopg.OperationalError("server closed\n\tThis probably means")) == "server closed"


def test_wrong_settings_are_told_all_at_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FTE_CONCURRENCY", "0")
    monkeypatch.setenv("FTE_NO_SUCH", "1")

    code, _, told = run_fte(capsys, "replies")

    assert code == EXIT_UNUSABLE
    assert "FTE_CONCURRENCY" in told
    assert "FTE_NO_SUCH" in told
    assert "Traceback" not in told


@pytest.mark.parametrize(
    "command",
    [
        ["send", "--conversation", "c1", "--text", "hi"],
        ["replies"],
        ["escalations"],
        ["events", "--follow"],
        ["show", "c1"],
        ["takeover", "c1"],
        ["hand-back", "c1"],
        ["worker"],
        ["migrate"],
    ],
    ids=lambda command: command[0],
)
def test_a_command_without_servers_says_which_ways_there_are(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, told = run_fte(capsys, *command)

    assert code == EXIT_UNUSABLE
    assert told == "fte: no servers: start fte up, or set FTE_DATABASE_URL and FTE_REDIS_URL\n"


def test_an_unreachable_server_is_named_without_its_password(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FTE_DATABASE_URL", "postgresql://fte:hunter2@127.0.0.1:1/fte")
    monkeypatch.setenv("FTE_REDIS_URL", "redis://127.0.0.1:1/0")

    code, _, told = run_fte(capsys, "migrate")

    assert code == EXIT_UNUSABLE
    assert "127.0.0.1:1/fte is unreachable" in told
    assert "hunter2" not in told


def test_a_fault_of_the_program_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(servers, "find_servers", fail)

    with pytest.raises(ZeroDivisionError):
        run(["migrate"])


@pytest.mark.parametrize(
    ("arguments", "forbidden"),
    [
        (["--help"], ("pydantic", "psycopg", "redis", "celery", "agents", "ops.embedded", "schema.settings")),
        (["send", "--conversation", "c", "--text", "hi"], ("agents", "worker.agents")),
        (["replies"], ("agents", "celery")),
    ],
    ids=["help", "send", "replies"],
)
def test_a_command_imports_no_more_than_it_needs(
    arguments: list[str], forbidden: tuple[str, ...], tmp_path: Path
) -> None:
    told = "import sys, atexit; atexit.register(lambda: print(*sys.modules, sep='\\n'))\n"
    program = f"{told}from ops.cli.main import run\nrun({arguments!r})"
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, env=environment)

    assert "ops.cli.main" in done.stdout.splitlines()
    assert set(forbidden) & set(done.stdout.splitlines()) == set()


@pytest.mark.parametrize(
    "arguments",
    [
        ["send"],
        ["send", "--text", "hi"],
        ["send", "--text", "hi", "messages.jsonl"],
        ["replies", "--channel", "fax"],
        ["load", "--model-latency-ms", "soon"],
        ["up", "--workers", "0"],
        ["dance"],
    ],
    ids=" ".join,
)
def test_wrong_usage_ends_with_two_before_any_server_is_asked(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    code, output, told = run_fte(capsys, *arguments)

    assert code == EXIT_UNUSABLE
    assert "Usage: fte" in told
    assert (output, "no servers" in told) == ("", False)


def test_a_file_that_is_not_there_is_wrong_usage(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(servers, "find_servers", lambda: None)

    code, _, told = run_fte(capsys, "send", "no-such-file")

    assert code == EXIT_UNUSABLE
    assert "no-such-file: No such file or directory" in told


def test_an_expected_error_is_a_condition_of_ours() -> None:
    assert issubclass(NoServers, FteError)
