"""Write facts down outside of the product, for the auditor: JSON lines, each on the disk before its writer goes on."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from runtime.encoding import dump_json, parse_json
from schema.messages.reply import Reply

if TYPE_CHECKING:
    from pathlib import Path

    from producer.collecting.entries import StreamEntry


class Log:
    """Append facts to a file that others may append to as well."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def write(self, **fact: Any) -> None:
        """Write one fact, and when it was."""
        os.write(self._descriptor, dump_json({"at": time.time(), **fact}).encode() + b"\n")
        os.fsync(self._descriptor)

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)


class Tail:
    """Read a log while it is being written."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read_bytes = path.stat().st_size

    def read(self) -> list[dict[str, Any]]:
        """Give what came since the last time; a line that is not whole yet waits for the next one."""
        with self._path.open("rb") as stream:
            stream.seek(self._read_bytes)
            *lines, _ = stream.read().split(b"\n")
        self._read_bytes += sum(len(line) + 1 for line in lines)
        return [parse_json(line) for line in lines]


def fact_of(entry: StreamEntry) -> dict[str, Any]:
    """Give what an auditor needs of an entry: nobody's words."""
    reply = entry.body if isinstance(entry.body, Reply) else None
    return {
        "kind": "reply" if reply else "escalation",
        "id": entry.id,
        "stream": entry.stream,
        "conversation": entry.conversation,
        "sequence": entry.sequence,
        "in_reply_to": list(reply.in_reply_to) if reply else [],
        "reports_change": bool(reply and reply.text.startswith("Done")),
    }
