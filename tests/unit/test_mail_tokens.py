from __future__ import annotations

import base64
import hashlib
import hmac

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from producer.channels.email.tokens import MailTokens, domain_for_message_ids, reference_of
from runtime.sender_keys import SenderKeys
from schema.ids import ConversationKey, reply_id_of

SECRET = b"s" * 32
TOKENS = MailTokens(SECRET)
KEY = ConversationKey("default", "mail-4711")
REPLY = reply_id_of(KEY, 1)

keys = st.builds(
    ConversationKey, st.just("default"), st.from_regex(r"[A-Za-z0-9+][A-Za-z0-9._~=+@-]{0,127}", fullmatch=True)
)
replies = st.builds(reply_id_of, keys, st.integers(1, 10**6))


@settings(deadline=None)
@given(keys)
def test_an_address_leads_back_to_its_conversation_in_any_case_of_letters(key: ConversationKey) -> None:
    address = TOKENS.address_for("support@air.example", key)

    assert TOKENS.read_address(address) == TOKENS.read_address(address.upper()) == reference_of(key)
    assert TOKENS.read_address(f" <{address}> ") == reference_of(key)
    assert len(address.partition("@")[0]) == len("support+") + 32


@settings(deadline=None)
@given(replies)
def test_a_message_id_and_a_bounce_address_lead_back_to_their_reply(reply: str) -> None:
    message_id = TOKENS.message_id_for(reply, "air.example")
    sender = TOKENS.bounce_address_for(reply, "air.example")

    assert TOKENS.read_message_id(message_id) == TOKENS.read_message_id(message_id.strip("<>").upper()) == reply
    assert TOKENS.read_message_id(f"\r\n {message_id}") == reply
    assert TOKENS.read_bounce_address(sender) == TOKENS.read_bounce_address(sender.swapcase()) == reply
    assert len(sender.partition("@")[0]) <= 64
    assert len(message_id) <= 76


def test_a_token_is_what_its_description_says() -> None:
    reference = hashlib.sha256(b"fte mail conversation default:mail-4711").digest()[:10]
    mac = hmac.new(SECRET, b"conversation\0" + reference, hashlib.sha256).digest()[:10]

    token = base64.b32encode(reference + mac).decode().lower()

    assert TOKENS.address_for("support@air.example", KEY) == f"support+{token}@air.example"


def _changed(text: str) -> list[str]:
    return [text[:at] + ("a" if char != "a" else "b") + text[at + 1 :] for at, char in enumerate(text)]


def test_no_token_with_another_character_is_ours() -> None:
    token = TOKENS.address_for("s@x.example", KEY).partition("@")[0].partition("+")[2]
    bounce = TOKENS.bounce_address_for(REPLY, "x.example").partition("@")[0].partition("+")[2]
    message_id = TOKENS.message_id_for(REPLY, "x.example").strip("<>").partition("@")[0]

    assert not [each for each in _changed(token) if TOKENS.read_address(f"s+{each}@x.example")]
    assert not [each for each in _changed(bounce) if TOKENS.read_bounce_address(f"bounces+{each}@x.example")]
    assert not [each for each in _changed(message_id) if TOKENS.read_message_id(f"<{each}@x.example>")]


def test_a_token_of_one_purpose_or_account_is_none_of_another() -> None:
    senders = SenderKeys(b"x" * 32)
    ours = MailTokens.of_account(senders, "default", "ch_1")
    others = MailTokens.of_account(senders, "default", "ch_2"), MailTokens.of_account(senders, "other", "ch_1")
    address = ours.address_for("support@air.example", KEY)

    assert ours.read_address(address)
    assert not ours.read_bounce_address(address)
    assert not ours.read_address(ours.bounce_address_for(REPLY, "air.example"))
    assert not any(each.read_address(address) for each in others)
    assert not any(each.read_message_id(ours.message_id_for(REPLY, "air.example")) for each in others)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@",
        "+",
        "support@air.example",
        "support+@air.example",
        "support+aaaa@air.example",
        "\u212a" * 32,
        "support+" + "\u212a" * 32 + "@x.example",
        "<a.b@c>",
        "support+" + "a" * 100_000 + "@x",
        "\0",
    ],
)
def test_what_is_no_token_is_none(text: str) -> None:
    assert TOKENS.read_address(text) is None
    assert TOKENS.read_bounce_address(text) is None
    assert TOKENS.read_message_id(text) is None


@settings(deadline=None)
@given(st.text(max_size=200))
def test_nothing_that_is_made_up_is_ours(text: str) -> None:
    assert TOKENS.read_address(text) is None
    assert TOKENS.read_bounce_address(text) is None
    assert TOKENS.read_message_id(text) is None


def test_a_local_part_without_room_for_the_token_is_refused() -> None:
    assert len(TOKENS.address_for("a" * 31 + "@x.example", KEY).partition("@")[0]) == 64
    with pytest.raises(ValueError, match="1 to 31 octets"):
        TOKENS.address_for("a" * 32 + "@x.example", KEY)
    with pytest.raises(ValueError, match="local@domain"):
        TOKENS.address_for("support", KEY)


def test_a_long_domain_is_shortened_to_what_a_message_id_has_room_for() -> None:
    long = "support.customers.some-quite-long-airline.example"

    assert domain_for_message_ids("air.example") == "air.example"
    assert domain_for_message_ids(long) == "some-quite-long-airline.example"
    assert len(TOKENS.message_id_for(REPLY, long)) <= 76
    with pytest.raises(ValueError, match="room for 32"):
        domain_for_message_ids("a" * 40 + ".example")


def test_what_is_no_replys_id_is_refused() -> None:
    with pytest.raises(ValueError, match="not a reply's id"):
        TOKENS.message_id_for("reply_1", "x.example")
    with pytest.raises(ValueError, match="not a reply's id"):
        TOKENS.bounce_address_for(REPLY.upper(), "x.example")
