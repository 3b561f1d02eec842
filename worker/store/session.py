"""Serve a conversation's history to the agents SDK, and keep what a turn adds until its commit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agents.memory.session_settings import SessionSettings

from schema.messages.reply import REPLY_CHARACTERS_MAX
from worker.models.wire.parts import read_arguments

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agents.items import TResponseInputItem

_CALLS = {"function_call"}
_OUTPUTS = {"function_call_output"}


class ConversationSession:
    """The SDK's Session protocol over the items that hydrate read from PostgreSQL.

    The SDK writes five times in a turn, none of them atomic with anything. Here all writes stay in memory, and the
    turn's commit stores them together with its reply: a crash leaves no half turn behind.
    """

    def __init__(self, session_id: str, stored: Sequence[TResponseInputItem]) -> None:
        self.session_id = session_id
        self.session_settings: SessionSettings | None = None
        self._stored = [_with_good_arguments(item) for item in stored]
        self._added: list[TResponseInputItem] = []

    @property
    def stored(self) -> list[TResponseInputItem]:
        """Return the items of earlier turns, oldest first."""
        return list(self._stored)

    @property
    def added(self) -> list[TResponseInputItem]:
        """Return what the turn added so far, in order."""
        return list(self._added)

    async def get_items(self, limit: int | None = None) -> list[TResponseInputItem]:
        """Return the newest `limit` items, or all of the window, oldest first; those of this turn too."""
        items = self._stored + self._added
        if limit is None:
            return items
        return items[-limit:] if limit > 0 else []

    async def add_items(self, items: list[TResponseInputItem]) -> None:
        """Add items in memory, for the commit to store."""
        self._added.extend(items)

    async def pop_item(self) -> TResponseInputItem | None:
        """Remove and return the newest item of this turn; what earlier turns committed stays."""
        return self._added.pop() if self._added else None

    async def clear_session(self) -> None:
        """Drop the items of this turn; what earlier turns committed stays."""
        self._added.clear()


def _with_good_arguments(item: Any) -> Any:
    """Replace arguments that are no JSON object, as a release before this one stored them: some servers refuse them."""
    if item.get("type") != "function_call":
        return item
    arguments = read_arguments(item.get("arguments")) or "{}"
    return item if arguments == item.get("arguments") else {**item, "arguments": arguments}


def window_of(items: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Cut the oldest items so that the history starts with a customer's message and no tool call is split.

    `items` is the newest part of a history, oldest first. Without any customer's message in it, only the outputs whose
    call was cut off, and the calls whose output was, are dropped.
    """
    for index, item in enumerate(items):
        if item.get("role") == "user":
            return list(items[index:])
    called = {item.get("call_id") for item in items if item.get("type") in _CALLS}
    answered = {item.get("call_id") for item in items if item.get("type") in _OUTPUTS}
    whole = called & answered
    return [item for item in items if item.get("type") not in _CALLS | _OUTPUTS or item.get("call_id") in whole]


def last_reply_of(items: Sequence[dict[str, Any]]) -> str:
    """Return the reply that ends a history, as far as it was sent; empty when a customer's message follows it.

    A message that was left to a human, or given up in silence, has no reply: what the customer writes next answers
    nothing of ours.
    """
    for item in reversed(items):
        if item.get("role") == "user":
            return ""
        if item.get("role") == "assistant":
            content = item.get("content")
            parts = [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []
            text = "\n".join(str(part.get("text", "")) for part in parts) if parts else str(content or "")
            return text[:REPLY_CHARACTERS_MAX]
    return ""
