"""Messages that no honest gateway sends: each is refused by itself, as InvalidMessage."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from schema.errors import InvalidMessage
from schema.messages.inbound import parse_inbound

MESSAGE = {
    "message_id": "m-1",
    "tenant": "default",
    "conversation": "c-1",
    "channel": "email",
    "sender": "ada@example.com",
    "text": "hello",
}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("sent_at", "0001-01-01T00:00:00+23:59"),
        ("sent_at", "9999-12-31T23:59:59-23:59"),
        ("sender", "ada@example.com\r\nBcc: all@example.com"),
        ("sender", "ada@example.com\n"),
        ("sender", "ada\x00@example.com"),
        ("sender", "ada\x85@example.com"),
    ],
)
def test_a_value_beyond_use_is_refused_as_an_invalid_message(field: str, value: str) -> None:
    with pytest.raises(InvalidMessage) as refused:
        parse_inbound(
            MESSAGE | {field: value},
            now=datetime(2026, 6, 1, tzinfo=UTC),
            clock_skew_seconds_max=300,
            age_seconds_max=99,
        )

    assert refused.value.field == field
