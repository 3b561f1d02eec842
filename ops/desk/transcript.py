"""Build a conversation's transcript for people: who said what, which tools ran, how long it took."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from runtime.database import Database
from runtime.encoding import parse_json
from runtime.sealing import Sealer
from schema.errors import Unsealable
from schema.ids import ConversationKey, trace_id_of
from schema.session_items import text_of

ITEMS_MAX = 1_000
"""Newest session items shown."""

SEALED_TEXT = "(sealed)"
"""What is shown in place of an item that is not opened."""

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


async def read_transcript(database: Database, key: ConversationKey, sealer: Sealer | None = None) -> Transcript | None:
    """Read a conversation's transcript; None when its tenant has no such conversation.

    What the conversation's own key sealed is opened with a sealer, and shown as sealed without one.
    """
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
        context=_known(row["context"], sealer),
        lines=read_lines([_opened(item, sealer) for item in row["items"]], row["turns"], row["people"]),
        turns=row["turns"],
        tickets=row["tickets"],
        dead_letters=row["dead_letters"],
    )


def _known(context: dict[str, Any], sealer: Sealer | None) -> dict[str, Any]:
    if "sealed" not in context:
        return context
    with suppress(Unsealable):
        if sealer:
            return sealer.open_fields(context)
    shown = {name: SEALED_TEXT if isinstance(value, str) else value for name, value in context.items()}
    return {name: value for name, value in shown.items() if name != "sealed"}


def _opened(stored: dict[str, Any], sealer: Sealer | None) -> dict[str, Any]:
    item = stored["item"]
    if "sealed" not in item:
        return stored
    with suppress(Unsealable):
        return {**stored, "item": sealer.open_item(item) if sealer else {**item, "content": SEALED_TEXT}}
    return {**stored, "item": {**item, "content": SEALED_TEXT}}


def read_lines(
    items: list[dict[str, Any]], turns: list[dict[str, Any]], people: Mapping[str, str] = MappingProxyType({})
) -> list[Line]:
    """Convert session items (`{turn, item}`, oldest first), in the agents SDK's shape, to lines.

    An agent's text carries the name of the agent that ended the turn: a handoff never follows the answer. `people`
    names who of the desk spoke, by the version of the conversation after that.
    """
    agents = {turn["number"]: turn["agent"] for turn in turns} | {int(at): name for at, name in people.items()}
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
        kinds: dict[str, tuple[LineKind, str]] = {"user": ("customer", "customer"), "system": ("note", "desk")}
        return Line(*kinds.get(str(item.get("role")), ("agent", agent or "bot")), text, turn)
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
