"""Build a conversation's transcript for people: who said what, which tools ran, how long it took."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from runtime.database import Database
from runtime.encoding import parse_json
from schema.ids import ConversationKey, trace_id_of
from schema.session_items import text_of

ITEMS_MAX = 1_000
"""Newest session items shown."""

ROWS_MAX = 200
"""Newest turns, tickets and dead letters shown."""

OUTPUT_CHARACTERS_MAX = 160
"""Length to which a tool's answer is shortened."""

_HANDOFF = "transfer_to_"

LineKind = Literal["customer", "agent", "tool", "handoff", "note"]


@dataclass(frozen=True)
class Line:
    """One line of a transcript; `text` is masked, as it is stored."""

    kind: LineKind
    speaker: str
    text: str
    turn: int


@dataclass(frozen=True)
class Transcript:
    """A conversation's state, lines, turns, tickets and dead letters (rows as stored)."""

    tenant: str
    conversation: str
    trace_id: str
    owner: str
    last_agent: str | None
    accepted: int
    replies: int
    waiting: int
    unpublished: int
    context: dict[str, Any]
    lines: list[Line]
    turns: list[dict[str, Any]]
    tickets: list[dict[str, Any]]
    dead_letters: list[dict[str, Any]]


async def read_transcript(database: Database, key: ConversationKey) -> Transcript | None:
    """Read a conversation's transcript; None when its tenant has no such conversation. Unseals nothing."""
    rows = await database.read(
        key.tenant,
        "read_transcript",
        tenant=key.tenant,
        conversation=key.conversation,
        items_max=ITEMS_MAX,
        rows_max=ROWS_MAX,
    )
    if not rows:
        return None
    row = rows[0]
    return Transcript(
        tenant=key.tenant,
        conversation=key.conversation,
        trace_id=trace_id_of(key),
        owner=row["owner"],
        last_agent=row["last_agent"],
        accepted=row["accepted"],
        replies=row["replies"],
        waiting=row["waiting"],
        unpublished=row["unpublished"],
        context=row["context"],
        lines=read_lines(row["items"], row["turns"]),
        turns=row["turns"],
        tickets=row["tickets"],
        dead_letters=row["dead_letters"],
    )


def read_lines(items: list[dict[str, Any]], turns: list[dict[str, Any]]) -> list[Line]:
    """Convert session items (`{turn, item}`, oldest first), in the agents SDK's shape, to lines.

    An agent's text carries the name of the agent that ended the turn: a handoff never follows the answer.
    """
    agents = {turn["number"]: turn["agent"] for turn in turns}
    names = {item["item"].get("call_id"): item["item"].get("name") for item in items if "name" in item["item"]}
    lines = []
    for stored in items:
        line = _line(stored["item"], stored["turn"], agent=agents.get(stored["turn"]), names=names)
        if line is not None:
            lines.append(line)
    return lines


def _line(item: dict[str, Any], turn: int, *, agent: str | None, names: dict[str | None, str]) -> Line | None:
    kind = item.get("type", "message")
    if kind == "message":
        text = text_of(item.get("content"))
        return (
            Line("customer", "customer", text, turn)
            if item.get("role") == "user"
            else (Line("agent", agent or "bot", text, turn))
        )
    if kind == "function_call":
        if str(item.get("name")).startswith(_HANDOFF):
            return None  # its output names the agent as people know it
        return Line("tool", str(item.get("name")), _arguments(item.get("arguments")), turn)
    if kind == "function_call_output":
        output = text_of(item.get("output"))
        if str(names.get(item.get("call_id"))).startswith(_HANDOFF):
            return Line("handoff", "handoff", _target(output), turn)
        return Line("tool", "→", _shorten(output), turn)
    return None


def _arguments(text: Any) -> str:
    try:
        arguments = parse_json(str(text))
    except ValueError:
        return _shorten(str(text))
    if not isinstance(arguments, dict):
        return _shorten(str(text))
    return _shorten(", ".join(f"{name}={value}" for name, value in arguments.items() if value not in ("", None)))


def _target(output: str) -> str:
    try:
        target = parse_json(output)
    except ValueError:
        return _shorten(output)
    return str(target.get("assistant", output)) if isinstance(target, dict) else _shorten(output)


def _shorten(text: str) -> str:
    return text if len(text) <= OUTPUT_CHARACTERS_MAX else text[: OUTPUT_CHARACTERS_MAX - 1] + "…"
