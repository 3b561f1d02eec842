"""A message that is read in one step is the message that FastAPI's own way would have read."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from producer.gateway.messages import NewMessage

PLAIN = {"conversation": "c-1", "channel": "chat", "sender": "ada@example.com", "text": "hello"}
TEXTS = st.text('aZ0 -:"\\/\x00\x1fé✈\ud83d\udc00', max_size=8)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    TEXTS,
    st.sampled_from(["1", "sms", "2026-11-30T07:00:00Z", "2026-11-30T07:00:00", "1764486000", "m-1", "t1"]),
)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3))
FIELDS = st.sampled_from([*NewMessage.model_fields, "unknown"])


def read(body: bytes, *, in_one_step: bool) -> NewMessage | None:
    try:
        return NewMessage.model_validate_json(body) if in_one_step else NewMessage.model_validate(json.loads(body))
    except (ValidationError, ValueError):
        return None


@given(
    changes=st.dictionaries(FIELDS, VALUES, max_size=3),
    ascii_only=st.booleans(),
    encoding=st.sampled_from(["utf-8", "utf-16", "utf-8-sig"]),
)
def test_what_is_read_in_one_step_is_read_the_same_in_two(
    *, changes: dict[str, Any], ascii_only: bool, encoding: str
) -> None:
    body = json.dumps(PLAIN | changes, ensure_ascii=ascii_only).encode(encoding, "surrogatepass")

    message = read(body, in_one_step=True)

    assert message is None or message == read(body, in_one_step=False)


def test_a_plain_message_is_read_in_one_step() -> None:
    message = read(json.dumps(PLAIN).encode(), in_one_step=True)

    assert message is not None
    assert message.text == "hello"
