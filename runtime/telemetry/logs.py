"""Configure logging: facts with fields as structured lines on standard error, redacted in the last step."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterable, MutableMapping
from contextvars import ContextVar
from typing import Any, TextIO, cast

import structlog

from runtime.encoding import dump_json
from schema.settings.telemetry import LogSettings

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}

# These libraries log at every attempt that a server is away; `runtime.outage` logs it once, `spans.dropped` its cost.
# flufl.bounce logs each way in which it looks at a bounce, and what it falls over.
_QUIETED = {
    "psycopg": logging.ERROR,
    "celery.worker.consumer": logging.CRITICAL,
    "opentelemetry": logging.CRITICAL,
    "flufl.bounce": logging.CRITICAL,
}

# So does Celery's consumer, as critical and with a traceback, once a second while Redis closes each connection.
_REPEATED = "Frequent restarts detected"

# What must never stand in a log, whatever its source: the guard masks messages, this catches what an exception or a
# dependency carries. Card numbers 13-19 digits (ISO/IEC 7812), SSN, e-mail, phone with separators, URL passwords, API
# keys (runtime/api_keys.py).
_SECRETS = re.compile(
    r"(?P<api_key>(?<=\bfte_)[0-9A-Za-z]{12}_[0-9A-Za-z]{49}(?![0-9A-Za-z]))"
    r"|(?P<card>(?<![\w.])(?:\d[ -]?){12,18}\d(?!\w))"
    r"|(?P<ssn>(?<!\w)\d{3}-\d{2}-\d{4}(?!\w))"
    r"|(?P<email>[\w.+-]+@[\w-]+\.[\w.-]+)"
    r"|(?P<phone>(?<!\w)(?:\+\d{1,3}[ .-]?)?\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}(?!\w))"
    r"|(?P<password>(?<=://)[^/\s:@]*:[^/\s@]+(?=@))"
)


_private: ContextVar[re.Pattern[str] | None] = ContextVar("private", default=None)

PRIVATE_CHARACTERS_MIN = 4
"""Shorter values are not redacted: they would be found in every other word."""


def keep_private(values: Iterable[str]) -> None:
    """Redact these values in every log line of this task from now on, in place of those named before.

    For values without a shape of their own: six letters may be a confirmation number or a word.
    """
    known = sorted(
        {re.escape(value) for value in values if len(value) >= PRIVATE_CHARACTERS_MIN}, key=len, reverse=True
    )
    _private.set(re.compile("|".join(known), re.IGNORECASE) if known else None)


def redact(text: str) -> str:
    """Replace what looks like a card number, SSN, e-mail, phone number, password or API key by its kind.

    Values that this task named to `keep_private` are replaced too.
    """
    known = _private.get()
    text = known.sub("[private]", text) if known else text
    return _SECRETS.sub(lambda found: f"[{found.lastgroup}]", text)


def redact_event(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Redact every text of a log event, also nested ones."""
    return {name: _redact_value(value) for name, value in event.items()}


def _redact_value(value: Any) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {name: _redact_value(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_redact_value(inner) for inner in value]
    return value


def _is_no_repetition(record: logging.LogRecord) -> bool:
    return not record.getMessage().startswith(_REPEATED)


class _StandardError:
    """A file that writes to the current `sys.stderr`: a logger outlives a redirection.

    A line that cannot be written, because a disk is full or a reader is gone, raises nothing: it would make a turn that
    has just been committed run again. Such lines are counted, and the count is written before the next one.
    """

    def __init__(self) -> None:
        self._lost = 0

    def write(self, text: str) -> int:
        """Write a line; return its length, whether or not it was written."""
        try:
            if self._lost:  # written here, for the logger that calls this holds its lock
                sys.stderr.write(dump_json({"event": "log.lines_lost", "lines": self._lost, "level": "warning"}) + "\n")
                self._lost = 0
            sys.stderr.write(text)
            sys.stderr.flush()
        except OSError:
            self._lost += 1
        return len(text)

    def flush(self) -> None:
        """Do nothing: `write` flushes each line."""


def configure_logs(settings: LogSettings) -> None:
    """Set up structlog and the standard library's logging for this process."""
    level = _LEVELS[settings.log_level]
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redact_event,
    ]
    standard_error = cast("TextIO", _StandardError())
    renderer: Any = (
        structlog.processors.JSONRenderer(serializer=lambda event, **_: dump_json(event))
        if settings.log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(standard_error),
    )
    to_stderr = logging.StreamHandler(standard_error)
    to_stderr.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processor=renderer))
    to_stderr.addFilter(_is_no_repetition)
    root = logging.getLogger()
    root.handlers[:] = [to_stderr]
    root.setLevel(max(level, logging.WARNING))  # dependencies log from warnings on; our own facts go to structlog
    for chatty, least in _QUIETED.items():
        logging.getLogger(chatty).setLevel(least)
    logging.captureWarnings(capture=True)  # lines like all others, also what Celery says of a worker that runs as root
