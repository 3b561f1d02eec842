from __future__ import annotations

from typing import Any

import pytest

from schema.channel_accounts import InvalidAccount, check_account

GOOD = {
    "addresses": ["support@air.example"],
    "domain": "air.example",
    "relay_host": "smtp.example",
    "relay_user": "fte",
}


def test_a_mailbox_is_taken_by_its_settings_alone() -> None:
    check_account("email", GOOD, {"relay_password": "secret"})
    check_account("email", GOOD | {"relay_host": "127.0.0.1", "relay_security": "none"}, {})


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"relay_security": "none"}, "loopback alone"),
        ({"relay_host": "10.0.0.1", "relay_security": "none"}, "loopback alone"),
        ({"domain": "a-name-that-is-longer-than-most.example"}, "room for 32"),
        ({"addresses": ["support+x@air.example"]}, "addresses.0"),
        ({"addresses": ["a" * 32 + "@air.example"]}, "addresses.0"),
        ({"addresses": ["grüße@air.example"]}, "addresses.0"),
        ({"addresses": ["support"]}, "addresses.0"),
        ({"addresses": []}, "addresses"),
        ({"relay_host": "smtp.example/x"}, "relay_host"),
        ({"relay_user": "fte\r\nX"}, "relay_user"),
        ({"relay": "smtp.example"}, "relay: no such field"),
    ],
)
def test_what_could_not_send_safely_is_refused_by_name(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidAccount) as refused:
        check_account("email", GOOD | changes, {"relay_password": "secret"})

    assert told in str(refused.value)
    assert "secret" not in str(refused.value)
