"""Keys that stand for senders."""

from __future__ import annotations

import pytest

from runtime.sender_keys import SenderKeys


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ada@example.com", "eve@example.com"),
        ("+15550100", "+15550101"),
        ("ada@example.com <eve@example.com>", "ada@example.com"),
        ("\u212aim@example.com", "kim@example.com"),
        ("guest +15550100", "+15550100"),
    ],
)
def test_two_senders_have_two_keys(one: str, other: str) -> None:
    keys = SenderKeys(b"s" * 32)

    assert keys.key_of("t", "chat", one) != keys.key_of("t", "chat", other)


def test_a_key_belongs_to_a_tenant_and_a_channel_and_shows_nothing() -> None:
    keys, others = SenderKeys(b"s" * 32), SenderKeys(b"r" * 32)

    made = {
        keys.key_of("t", "chat", "ada@example.com"),
        keys.key_of("u", "chat", "ada@example.com"),
        keys.key_of("t", "email", "ada@example.com"),
        others.key_of("t", "chat", "ada@example.com"),
    }

    assert len(made) == 4
    assert all(len(key) == 64 and "ada" not in key for key in made)
