"""Signatures of the provider's webhooks: recorded vectors, both hashes, and everything that must not pass."""

from __future__ import annotations

import hashlib
from urllib.parse import urlencode

import pytest

from producer.channels.sms.signing import PAIRS_MAX, SigningKeys, read_pairs, read_signed, sign, spellings_of

TOKEN = "test-token"
URL = "https://gate.example/v1/sms/inbound?tenant=default"
PAIRS = [
    ("MessageSid", "SM00000000000000000000000000000001"),
    ("AccountSid", "AC00000000000000000000000000000001"),
    ("From", "+14155550101"),
    ("To", "+14155550199"),
    ("Body", "Grüße 👋"),
    ("NumMedia", "0"),
    ("NumSegments", "1"),
]
BODY = urlencode(PAIRS).encode()
JSON_URL = (
    "https://gate.example/v1/sms/json?bodySHA256=015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862"
)
KEYS = SigningKeys((TOKEN,), {"rule-1": "shared-secret"})
FORM = {"content-type": "application/x-www-form-urlencoded; charset=UTF-8"}
# Made with the provider's own library, twilio 9.13.0.
WITHOUT_PORT = "yaRcu+/JFoxRKEOyYEjdMGe02OY="
WITH_PORT = "EJ/tpXBPcw/dtgQKCWi41FZZboo="
BY_SHARED_KEY = "6rZgyAWwepdnint7ZL4Ha3BtK6VksTQgQACnHMpyvIs="
OF_JSON = "DfKZVQmlr5MUyfB7hrMAPgipk4I="
SHARED = {"x-twilio-webhooks-signature-settings": "key=rule-1,algorithm=HMAC_SHA256"}


def signed(signature: str, **more: str) -> dict[str, str]:
    return {**FORM, "x-twilio-signature": signature, **more}


def is_signed(headers: dict[str, str], url: str, body: bytes, keys: SigningKeys) -> bool:
    return read_signed(headers, url, body, keys) is not None


def test_the_pairs_that_were_signed_are_returned_and_none_of_a_get_or_of_json() -> None:
    get = {"x-twilio-signature": sign(TOKEN, f"{URL}&Body=hi", [])}

    assert read_signed(signed(WITHOUT_PORT), URL, BODY, KEYS) == PAIRS
    assert read_signed(get, f"{URL}&Body=hi", b"", KEYS) == []
    assert read_signed(get, f"{URL}&Body=ho", b"", KEYS) is None


def test_the_recorded_signatures_are_made() -> None:
    assert sign(TOKEN, URL, PAIRS) == WITHOUT_PORT
    assert sign(TOKEN, URL.replace("example/", "example:443/"), PAIRS) == WITH_PORT
    assert sign("shared-secret", URL, PAIRS, "HMAC_SHA256") == BY_SHARED_KEY
    assert sign(TOKEN, JSON_URL, []) == OF_JSON


@pytest.mark.parametrize("signature", [WITHOUT_PORT, WITH_PORT])
@pytest.mark.parametrize("url", [URL, URL.replace("example/", "example:443/")])
def test_the_url_is_signed_with_its_port_or_without(signature: str, url: str) -> None:
    assert is_signed(signed(signature), url, BODY, KEYS)


def test_a_shared_key_signs_with_sha_256() -> None:
    assert is_signed(signed(BY_SHARED_KEY) | SHARED, URL, BODY, KEYS)


def test_the_token_before_holds_beside_the_new_one() -> None:
    assert is_signed(signed(WITHOUT_PORT), URL, BODY, SigningKeys(("new-token", TOKEN), {}))


def test_a_json_body_is_held_to_the_hash_in_its_url() -> None:
    headers = {"content-type": "application/json", "x-twilio-signature": OF_JSON}

    assert is_signed(headers, JSON_URL, b'{"a":1}', KEYS)
    assert not is_signed(headers, JSON_URL, b'{"a":2}', KEYS)


def test_a_json_body_without_a_hash_in_the_url_is_refused() -> None:
    url = JSON_URL.partition("?")[0]
    headers = {"content-type": "application/json", "x-twilio-signature": sign(TOKEN, url, [])}

    assert not is_signed(headers, url, b'{"a":1}', KEYS)


@pytest.mark.parametrize(
    "settings",
    [
        "key=rule-1,algorithm=NONE",
        "key=rule-1,algorithm=HMAC_SHA1",
        "key=rule-1",
        "algorithm=HMAC_SHA256",
        "",
        "key=rule-2,algorithm=HMAC_SHA256",
        "key=,algorithm=HMAC_SHA256",
        "key=rule-1,algorithm=HMAC_SHA256,key=rule-2",
    ],
)
def test_the_header_chooses_no_weaker_check(settings: str) -> None:
    for signature in (WITHOUT_PORT, BY_SHARED_KEY, ""):
        headers = signed(signature) | {"x-twilio-webhooks-signature-settings": settings}

        assert not is_signed(headers, URL, BODY, SigningKeys((TOKEN,), {"other": "shared-secret"}))


def test_the_token_does_not_sign_with_sha_256() -> None:
    forged = sign(TOKEN, URL, PAIRS, "HMAC_SHA256")

    assert not is_signed(signed(forged), URL, BODY, KEYS)
    assert not is_signed(signed(forged) | SHARED, URL, BODY, KEYS)


@pytest.mark.parametrize(
    "body",
    [
        BODY + b"&Body=again",
        BODY + b"&Extra=1",
        BODY.replace(b"NumMedia=0", b"NumMedia=1"),
        BODY.replace(b"NumMedia=0&", b""),
        BODY + b"&x",
        b"",
        b"\xff\xfe",
        b"Body=%ff",
        "Body=grün".encode(),
    ],
    ids=["twice", "added", "changed", "removed", "no-pair", "empty", "no-ascii", "no-utf8", "not-escaped"],
)
def test_a_body_that_is_not_the_one_that_was_signed_is_refused(body: bytes) -> None:
    assert not is_signed(signed(WITHOUT_PORT), URL, body, KEYS)


@pytest.mark.parametrize(
    "url", [URL + "&a=1", URL.replace("https", "http"), URL.replace("gate", "gat"), URL.replace("inbound", "inbound/")]
)
def test_another_url_is_refused(url: str) -> None:
    assert not is_signed(signed(WITHOUT_PORT), url, BODY, KEYS)


def test_no_signature_of_nothing_passes() -> None:
    assert not is_signed(dict(FORM), URL, BODY, KEYS)
    assert not is_signed(signed("ü"), URL, BODY, KEYS)
    assert not is_signed(signed(WITHOUT_PORT), URL, BODY, SigningKeys((), {}))


def test_a_parameter_given_twice_is_refused_even_where_the_signature_would_hold() -> None:
    pairs = [*PAIRS, ("Body", "Grüße 👋")]

    assert not is_signed(signed(sign(TOKEN, URL, pairs)), URL, urlencode(pairs).encode(), KEYS)
    with pytest.raises(ValueError, match="twice"):
        read_pairs(b"a=1&a=1")


def test_parameters_are_bounded() -> None:
    with pytest.raises(ValueError, match="fields"):
        read_pairs("&".join(f"p{number}=1" for number in range(PAIRS_MAX + 1)).encode())


def test_blank_parameters_are_signed_as_well() -> None:
    pairs = [*PAIRS, ("FromCity", "")]

    assert is_signed(signed(sign(TOKEN, URL, pairs)), URL, urlencode(pairs).encode(), KEYS)
    assert read_pairs(b"FromCity=&Body=a+b%20c") == [("FromCity", ""), ("Body", "a b c")]


def test_only_the_ports_of_the_schemes_are_left_out() -> None:
    assert spellings_of("http://h/x") == ["http://h/x", "http://h:80/x"]
    assert spellings_of("https://h:8443/x") == ["https://h:8443/x"]
    assert spellings_of("https://h:443/x?y=https://h:443") == [
        "https://h/x?y=https://h:443",
        "https://h:443/x?y=https://h:443",
    ]


def test_keys_do_not_show_in_a_traceback() -> None:
    assert "token" not in repr(SigningKeys(("secret-token",), {"a": "secret-token"})).replace("tokens", "")


def test_the_oracle_hashes_the_body_as_we_do() -> None:
    assert JSON_URL.endswith(hashlib.sha256(b'{"a":1}').hexdigest())
