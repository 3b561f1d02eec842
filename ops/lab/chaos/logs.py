"""Logs for the auditor, outside of the product: JSON lines, each synced to disk before its writer goes on."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from runtime.encoding import dump_json, parse_json
from schema.messages.reply import Reply

if TYPE_CHECKING:
    from pathlib import Path

    from producer.collecting.entries import StreamEntry


CHANGED = ("Done", "Your request was approved. ")
"""How a reply begins that reports a change of a booking."""


class Log:
    """Appends facts to a file that others may append to as well."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def write(self, **fact: Any) -> None:
        """Write one fact with its time."""
        os.write(self._descriptor, dump_json({"at": time.time(), **fact}).encode() + b"\n")
        os.fsync(self._descriptor)

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)


class Tail:
    """Reads a log while it is being written."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read_bytes = path.stat().st_size

    def read(self) -> list[dict[str, Any]]:
        """Return the lines added since the last call; an incomplete line waits for the next call."""
        with self._path.open("rb") as stream:
            stream.seek(self._read_bytes)
            *lines, _ = stream.read().split(b"\n")
        self._read_bytes += sum(len(line) + 1 for line in lines)
        return [parse_json(line) for line in lines]


def fact_of(entry: StreamEntry) -> dict[str, Any]:
    """Return what an auditor needs of an entry, without anybody's words."""
    reply = entry.body if isinstance(entry.body, Reply) else None
    return {
        "kind": "reply" if reply else "escalation",
        "id": entry.id,
        "stream": entry.stream,
        "conversation": entry.conversation,
        "sequence": entry.sequence,
        "in_reply_to": list(reply.in_reply_to) if reply else [],
        "reports_change": bool(reply and reply.text.startswith(CHANGED)),
    }
