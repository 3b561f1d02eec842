"""Our signatures are those of the specification: its vector, and its own library as the judge."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from producer.delivery.signing import SECRET_BYTES, make_secret, sign, signed_headers


def test_the_vector_of_the_specification_holds() -> None:
    signature = sign(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
    )

    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@given(
    body=st.dictionaries(st.text(), st.text() | st.integers()),
    name=st.from_regex(r"msg_[a-z0-9]{1,32}", fullmatch=True),
)
def test_the_specifications_library_verifies_what_we_sign(body: dict[str, object], name: str) -> None:
    secret = make_secret()
    written = json.dumps(body)

    headers = signed_headers([secret], name, int(time.time()), written.encode())

    assert Webhook(secret).verify(written, headers) == body


def test_of_two_secrets_either_verifies_and_no_third() -> None:
    new, old = make_secret(), make_secret()
    headers = signed_headers([new, old], "msg_1", int(time.time()), b"{}")

    assert Webhook(new).verify("{}", headers) == Webhook(old).verify("{}", headers) == {}
    with pytest.raises(WebhookVerificationError):
        Webhook(make_secret()).verify("{}", headers)


@pytest.mark.parametrize("change", [{"webhook-id": "msg_2"}, {"webhook-timestamp": str(int(time.time()) - 1)}])
def test_a_header_that_was_changed_does_not_verify(change: dict[str, str]) -> None:
    secret = make_secret()
    headers = signed_headers([secret], "msg_1", int(time.time()), b"{}")

    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify("{}", headers | change)


def test_no_two_secrets_are_alike_and_each_is_of_the_specifications_length() -> None:
    made = {make_secret() for _ in range(100)}

    assert len(made) == 100
    assert 24 <= SECRET_BYTES <= 64
