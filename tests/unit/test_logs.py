"""The last redaction step: whatever reaches a log, no secret stands in it."""

from __future__ import annotations

import errno
import io
import json
import logging
import sys
import warnings

import pytest
import structlog

from runtime.telemetry.logs import configure_logs, keep_private, redact
from schema.settings import Settings


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("card 4111 1111 1111 1111 declined", "card [card] declined"),
        ("card 4111111111111111", "card [card]"),
        ("ssn 123-45-6789", "ssn [ssn]"),
        ("mail ada.okafor@example.com now", "mail [email] now"),
        ("call (415) 555-0198 or +1 415-555-0198", "call [phone] or [phone]"),
        ("redis://:hunter2@127.0.0.1:6379/0", "redis://[password]@127.0.0.1:6379/0"),
        (f"key fte_{'a1' * 6}_{'Z9' * 24}x refused", "key fte_[api_key] refused"),
        ("the setting fte_database_url, fte_gateway", "the setting fte_database_url, fte_gateway"),
        ("flight LA123 on 2026-11-22 at 12:30 for $350.00", "flight LA123 on 2026-11-22 at 12:30 for $350.00"),
        ("trace_0123456789012345678901234567abcd", "trace_0123456789012345678901234567abcd"),
    ],
)
def test_redact_replaces_secrets_and_nothing_else(text: str, expected: str) -> None:
    assert redact(text) == expected


def test_a_log_line_is_redacted_in_every_field_and_in_its_trace(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(Settings(log_level="info"))
    log = structlog.get_logger("test")

    try:
        raise ValueError("card 4111 1111 1111 1111")  # noqa: TRY301 - the trace is the point
    except ValueError:
        log.exception("failed", note="4111 1111 1111 1111", nested={"to": ["ada@example.com"]})

    line = capsys.readouterr().err
    assert json.loads(line)["event"] == "failed"
    assert "4111" not in line
    assert "ada@" not in line


def test_what_a_task_keeps_private_stands_in_no_line_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(Settings(log_level="info"))
    log = structlog.get_logger("test")

    keep_private(["QX7K2P", "no"])
    try:
        raise ValueError("no booking qx7k2p")  # noqa: TRY301 - the trace is the point
    except ValueError:
        log.exception("failed", code="QX7K2P")
    keep_private([])
    log.info("later", code="QX7K2P")

    failed, later = capsys.readouterr().err.splitlines()
    assert "qx7k2p" not in failed.lower()
    assert "no booking [private]" in failed
    assert json.loads(later)["code"] == "QX7K2P"


def test_what_celery_repeats_while_redis_is_away_is_left_out_and_nothing_else(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logs(Settings())
    log = logging.getLogger("celery.worker.consumer.consumer")

    log.critical("Frequent restarts detected: %r", OSError("gone"))
    log.critical("Too many open files. Aborting...")

    lines = [json.loads(line)["event"] for line in capsys.readouterr().err.splitlines()]
    assert lines == ["Too many open files. Aborting..."]


def test_a_warning_of_a_dependency_is_a_line_like_all_others(capsys: pytest.CaptureFixture[str]) -> None:
    logging.captureWarnings(capture=False)  # pytest takes back at each test's end what the first one set
    configure_logs(Settings())

    with warnings.catch_warnings():
        warnings.simplefilter("default")
        warnings.warn("running as root is discouraged", RuntimeWarning, stacklevel=1)

    (line,) = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert "running as root is discouraged" in line["event"]
    assert line["level"] == "warning"


class FullDisk(io.StringIO):
    def write(self, text: str) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_log_that_cannot_be_written_stops_nobody_and_says_later_what_it_lost(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logs(Settings())
    log = structlog.get_logger("fte.test")

    with monkeypatch.context() as patched:
        patched.setattr(sys, "stderr", FullDisk())
        log.info("turn.committed")
        logging.getLogger("a.dependency").warning("as our dependencies log")
    log.info("turn.committed", position=3)

    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["event"] for line in lines] == ["log.lines_lost", "turn.committed"]
    assert lines[0]["lines"] == 2
