"""Write JSON fast and in one form."""

from __future__ import annotations

from typing import Any

import orjson


def dump_json(value: Any) -> str:
    """Return compact JSON; times as RFC 3339, keys as text."""
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()


def dump_canonical(value: Any) -> bytes:
    """Return JSON with sorted keys, so that equal values have equal bytes, for hashing."""
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_SORT_KEYS, default=str)


def parse_json(text: str | bytes) -> Any:
    """Parse JSON; raises ValueError."""
    return orjson.loads(text)
