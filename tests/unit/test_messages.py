from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.channels import CHANNELS
from schema.errors import InvalidMessage
from schema.messages.envelope import PAYLOAD_CHARACTERS_MAX, Envelope, encode_envelope
from schema.messages.inbound import (
    INBOUND_BYTES_MAX,
    METADATA_ENTRIES_MAX,
    METADATA_KEY_CHARACTERS_MAX,
    METADATA_VALUE_CHARACTERS_MAX,
    SUBJECT_CHARACTERS_MAX,
    TEXT_CHARACTERS_MAX,
    Inbound,
    encode_inbound,
    parse_inbound,
)
from schema.messages.wire import SENDER_CHARACTERS_MAX

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
SKEW_SECONDS = 300
AGE_SECONDS = 86_400
MESSAGE = {
    "message_id": "<CAF=x@mail.example.com>",
    "tenant": "default",
    "conversation": "case-1",
    "channel": "email",
    "sender": "ada.okafor@example.com",
    "text": "My card is 4111 1111 1111 1111",
}


def parse(value: Any) -> Inbound:
    return parse_inbound(value, now=NOW, clock_skew_seconds_max=SKEW_SECONDS, age_seconds_max=AGE_SECONDS)


def refused(value: Any) -> InvalidMessage:
    with pytest.raises(InvalidMessage) as caught:
        parse(value)
    return caught.value


FITS: list[tuple[str, Any]] = [
    ("message_id", "m"),
    ("message_id", "~" * 256),
    ("tenant", "t"),
    ("tenant", "T" + "_" * 62),
    ("conversation", "c"),
    ("conversation", "sms+15550100200"),
    ("conversation", "9" + "@" * 127),
    ("sender", "s"),
    ("sender", "s" * SENDER_CHARACTERS_MAX),
    ("text", "."),
    ("text", "😀" * TEXT_CHARACTERS_MAX),
    ("subject", None),
    ("subject", ""),
    ("subject", "s" * SUBJECT_CHARACTERS_MAX),
    ("sent_at", NOW + timedelta(seconds=SKEW_SECONDS)),
    ("sent_at", NOW - timedelta(seconds=AGE_SECONDS)),
    ("sent_at", "2026-01-31T13:00:00+01:00"),
    ("metadata", {}),
    ("metadata", {f"{number:064d}": "" for number in range(METADATA_ENTRIES_MAX)}),
    ("metadata", {"k": "v" * METADATA_VALUE_CHARACTERS_MAX}),
    ("version", 1),
]

BREAKS: list[tuple[str, Any]] = [
    ("message_id", ""),
    ("message_id", "m" * 257),
    ("message_id", "two words"),
    ("message_id", "line\n"),
    ("message_id", "é"),
    ("tenant", ""),
    ("tenant", "_t"),
    ("tenant", "a:b"),
    ("tenant", "{t}"),
    ("tenant", "t\n"),
    ("tenant", "t" * 64),
    ("tenant", "*"),
    ("conversation", ""),
    ("conversation", "-c"),
    ("conversation", "a:b"),
    ("conversation", "c" * 129),
    ("conversation", "c\n"),
    ("channel", "fax"),
    ("channel", "Email"),
    ("sender", ""),
    ("sender", "s" * (SENDER_CHARACTERS_MAX + 1)),
    ("text", ""),
    ("text", " \n\t"),
    ("text", "t" * (TEXT_CHARACTERS_MAX + 1)),
    ("text", 42),
    ("text", "\ud83d"),
    ("subject", "s" * (SUBJECT_CHARACTERS_MAX + 1)),
    ("subject", "\ud83d"),
    ("sent_at", NOW + timedelta(seconds=SKEW_SECONDS + 1)),
    ("sent_at", NOW - timedelta(seconds=AGE_SECONDS + 1)),
    ("sent_at", "2026-01-31T12:00:00"),
    ("sent_at", "yesterday"),
    ("metadata", {str(number): "" for number in range(METADATA_ENTRIES_MAX + 1)}),
    ("metadata", {"k" * (METADATA_KEY_CHARACTERS_MAX + 1): ""}),
    ("metadata", {"": "v"}),
    ("metadata", {"k": "v" * (METADATA_VALUE_CHARACTERS_MAX + 1)}),
    ("metadata", {"k": 1}),
    ("metadata", []),
    ("version", 2),
]


@pytest.mark.parametrize(("field", "value"), FITS)
def test_a_value_at_its_limit_fits(field: str, value: Any) -> None:
    parsed = getattr(parse(MESSAGE | {field: value}), field)

    assert parsed == (datetime.fromisoformat(value) if field == "sent_at" and isinstance(value, str) else value)


@pytest.mark.parametrize(("field", "value"), BREAKS)
def test_a_value_beyond_its_limit_is_refused_naming_the_field_and_the_limit(field: str, value: Any) -> None:
    error = refused(MESSAGE | {field: value})

    assert error.field.partition(".")[0] == field
    assert error.limit
    assert str(error) == f"{error.field}: {error.value}; {error.limit}"


@pytest.mark.parametrize("channel", CHANNELS)
def test_every_channel_is_taken(channel: str) -> None:
    assert parse(MESSAGE | {"channel": channel}).channel == channel


@pytest.mark.parametrize("field", sorted(MESSAGE))
def test_a_missing_field_is_named(field: str) -> None:
    error = refused({name: value for name, value in MESSAGE.items() if name != field})

    assert (error.field, error.value) == (field, "missing")


def test_an_unknown_field_is_named_with_those_that_are_known() -> None:
    error = refused(MESSAGE | {"txt": "hello"})

    assert (error.field, error.value) == ("txt", "unknown field")
    assert error.limit.startswith("the fields are version, message_id, tenant, conversation, channel, sender, text")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff", "not JSON"),
        ("{'single': 1}", "not JSON"),
        (b"[1, 2]", "list of 2"),
        (b'"text"', "4 characters"),
        (b"null", "NoneType"),
        ('"\ud83d"', "not valid Unicode"),
        (b" " * (INBOUND_BYTES_MAX + 1), f"{INBOUND_BYTES_MAX + 1} bytes of JSON"),
    ],
)
def test_what_is_no_json_object_is_refused_as_a_whole(value: bytes | str, shown: str) -> None:
    error = refused(value)

    assert (error.field, error.value) == ("message", shown)


@pytest.mark.parametrize(
    "changed",
    [
        {"text": "secret " * TEXT_CHARACTERS_MAX},
        {"text": {"secret": 1}},
        {"sender": "secret@" + "x" * SENDER_CHARACTERS_MAX},
        {"subject": "secret" * SUBJECT_CHARACTERS_MAX},
        {"metadata": {"note": "secret" * METADATA_VALUE_CHARACTERS_MAX}},
        {"metadata": "secret"},
        {"channel": "fax"},
    ],
)
def test_a_refusal_shows_neither_text_nor_sender_nor_other_values_that_may_be_secret(changed: dict[str, Any]) -> None:
    error = refused(MESSAGE | changed)

    assert "secret" not in str(error)
    assert "4111" not in str(error)
    assert "ada.okafor" not in str(error)


def test_a_wrong_id_is_shown_cut_so_that_it_can_be_found() -> None:
    error = refused(MESSAGE | {"conversation": "a:" + "b" * 200})

    assert error.value == f"'a:{'b' * 78}' (202 characters)"


def test_a_refusal_by_the_clock_names_the_distance_and_the_setting() -> None:
    early = refused(MESSAGE | {"sent_at": NOW + timedelta(seconds=900)})
    late = refused(MESSAGE | {"sent_at": NOW - timedelta(days=2)})

    assert str(early) == (
        "sent_at: 2026-01-31T12:15:00+00:00 is 900 s in the future; "
        "at most 300 s (FTE_CLOCK_SKEW_SECONDS_MAX); set the gateway's clock"
    )
    assert str(late) == (
        "sent_at: 2026-01-29T12:00:00+00:00 is 172800 s ago; at most 86400 s (FTE_MESSAGE_AGE_SECONDS_MAX)"
    )


def test_a_message_read_already_is_still_checked_against_the_clock() -> None:
    stale = Inbound.model_validate(MESSAGE | {"sent_at": NOW - timedelta(days=2)})

    assert refused(stale).field == "sent_at"


@pytest.mark.parametrize("form", [MESSAGE, json.dumps(MESSAGE), json.dumps(MESSAGE).encode()])
def test_every_form_gives_the_same_message(form: Any) -> None:
    assert parse(form) == Inbound.model_validate(MESSAGE)


@given(st.text(min_size=1, max_size=200).filter(str.strip), st.text(max_size=100))
def test_whatever_unicode_goes_in_comes_back_the_same(text: str, subject: str) -> None:
    inbound = parse(MESSAGE | {"text": text, "subject": subject})

    assert parse(encode_inbound(inbound)) == inbound


def test_the_largest_message_of_ordinary_characters_fits_when_sealed() -> None:
    largest = parse(
        MESSAGE
        | {
            "text": "😀" * TEXT_CHARACTERS_MAX,
            "subject": "😀" * SUBJECT_CHARACTERS_MAX,
            "sender": "😀" * SENDER_CHARACTERS_MAX,
            "metadata": {f"{number:02d}" + "😀" * 62: "😀" * 1_024 for number in range(METADATA_ENTRIES_MAX)},
        }
    )

    encoded = encode_inbound(largest)

    assert len(encoded.encode()) <= INBOUND_BYTES_MAX
    assert INBOUND_BYTES_MAX * 4 / 3 + 100 <= PAYLOAD_CHARACTERS_MAX


def test_a_message_whose_escapes_blow_it_up_is_refused() -> None:
    inbound = parse(
        MESSAGE | {"text": "\x01" * TEXT_CHARACTERS_MAX, "metadata": {str(n): "\x01" * 1_024 for n in range(32)}}
    )

    with pytest.raises(InvalidMessage, match=rf"message: \d+ bytes of JSON; at most {INBOUND_BYTES_MAX}"):
        encode_inbound(inbound)


def test_equal_envelopes_are_equal_text_and_differ_by_position_early() -> None:
    one, two = (Envelope(position=position, message_id="m", payload="p" * 100) for position in (1, 2))

    assert encode_envelope(one) == encode_envelope(one.model_copy())
    # Attempts are counted under the first 64 characters: they must tell the positions apart.
    assert encode_envelope(one)[:64] != encode_envelope(two)[:64]
