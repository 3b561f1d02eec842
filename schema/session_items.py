"""Read the text of a conversation's stored session items, which have the agents SDK's shape."""

from __future__ import annotations

from typing import Any


def text_of(content: Any) -> str:
    """Return the text of an item's content: text itself, or a list of parts with a `text` each."""
    if isinstance(content, list):
        return "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return str(content or "")
