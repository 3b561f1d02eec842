"""Recorded shapes of the provider's requests: inbound messages, status callbacks, commands, and answers of its API."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

import pytest

from producer.channels.sms import api
from producer.channels.sms.keywords import START_WORDS, STOP_WORDS, read_command
from producer.channels.sms.requests import (
    NOT_DELIVERED,
    STATUS_RANKS,
    ForeignMessage,
    read_status,
    read_text_message,
    write_inbound,
)
from schema.channel_accounts import SmsAccount, SmsSecrets

ACCOUNT_SID = "AC" + "1" * 32
SID = "SM" + "a" * 32
SERVICE = "MG" + "b" * 32
ACCOUNT = SmsAccount(
    account_sid=ACCOUNT_SID,
    numbers=("+14155550199", "384387"),
    messaging_services=(SERVICE,),
    public_url="https://gate.example",
)
# As the provider sends it, in its order.
RECORDED = (
    f"ToCountry=US&ToState=CA&SmsMessageSid={SID}&NumMedia=0&ToCity=&FromZip=94105&SmsSid={SID}&FromState=CA"
    "&SmsStatus=received&FromCity=OAKLAND&Body=Hi+there&FromCountry=US&To=%2B14155550199&ToZip=&NumSegments=1"
    f"&MessageSid={SID}&AccountSid={ACCOUNT_SID}&From=%2B14155550101&ApiVersion=2010-04-01"
)


def parameters(**changes: str | None) -> dict[str, str]:
    """Return the recorded request's parameters with changes; None leaves one out."""
    found = dict(parse_qsl(RECORDED, keep_blank_values=True)) | {k: v for k, v in changes.items() if v is not None}
    return {name: value for name, value in found.items() if name not in changes or changes[name] is not None}


def test_a_recorded_message_becomes_an_inbound() -> None:
    message = read_text_message(parameters(), ACCOUNT)
    inbound = write_inbound(message, "default", "sms-1")

    assert inbound.model_dump(exclude={"version", "subject", "sent_at"}) == {
        "message_id": SID,
        "tenant": "default",
        "conversation": "sms-1",
        "channel": "sms",
        "sender": "+14155550101",
        "text": "Hi there",
        "metadata": {"sms.to": "+14155550199"},
    }


def test_the_number_in_from_proves_nothing() -> None:
    inbound = write_inbound(read_text_message(parameters(), ACCOUNT), "default", "sms-1")

    assert not inbound.sender_is_verified


@pytest.mark.parametrize(
    ("changes", "text", "media"),
    [
        (
            {"Body": None, "NumMedia": "1", "MediaContentType0": "image/jpeg"},
            "[1 attachment, not opened: image/jpeg]",
            1,
        ),
        (
            {"NumMedia": "2", "MediaContentType0": "image/png", "MediaUrl0": "https://evil.example/x"},
            "Hi there\n[2 attachments, not opened: image/png, unknown]",
            2,
        ),
        ({"NumMedia": "1", "MediaContentType0": "<script>"}, "Hi there\n[1 attachment, not opened: unknown]", 1),
        ({"NumMedia": "9" * 30}, "Hi there", 0),
        ({"NumMedia": "-1"}, "Hi there", 0),
        ({"Body": "  "}, "(an empty message)", 0),
        ({"Body": "a\x00b"}, "ab", 0),
        ({"Body": "\ud83d"}, "?", 0),
    ],
)
def test_what_is_attached_is_named_and_never_fetched(changes: dict[str, str | None], text: str, media: int) -> None:
    message = read_text_message(parameters(**changes), ACCOUNT)

    inbound = write_inbound(message, "default", "sms-1")

    assert (inbound.text, len(message.media)) == (text, media)
    assert "evil" not in inbound.model_dump_json()


@pytest.mark.parametrize(
    "changes",
    [
        {"AccountSid": "AC" + "2" * 32},
        {"AccountSid": None},
        {"To": "+14155550198"},
        {"To": None},
        {"To": "+14155550198", "MessagingServiceSid": "MG" + "c" * 32},
    ],
)
def test_a_message_of_another_account_is_refused(changes: dict[str, str | None]) -> None:
    with pytest.raises(ForeignMessage):
        read_text_message(parameters(**changes), ACCOUNT)


def test_a_number_may_be_in_a_messaging_service_or_a_short_code() -> None:
    in_service = read_text_message(parameters(To="+14155550111", MessagingServiceSid=SERVICE), ACCOUNT)
    short = read_text_message(parameters(To="384387"), ACCOUNT)
    unlisted = read_text_message(parameters(MessagingServiceSid="MG" + "c" * 32), ACCOUNT)

    assert (in_service.own_address, in_service.own_group) == ("+14155550111", SERVICE)
    assert (short.own_address, short.own_group) == ("384387", None)
    assert (unlisted.own_address, unlisted.own_group) == ("+14155550199", "MG" + "c" * 32)  # an opt-out holds for it


@pytest.mark.parametrize("changes", [{"MessageSid": "x", "SmsSid": "y"}, {"From": ""}, {"From": "a b"}])
def test_a_message_without_id_or_sender_is_unreadable(changes: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="no "):
        read_text_message(parameters(**changes), ACCOUNT)


@pytest.mark.parametrize(
    ("text", "opt_out", "suppressed", "more", "command"),
    [
        *((word.upper(), None, False, False, "stop") for word in sorted(STOP_WORDS)),
        *((f" {word} \n", None, True, False, "start") for word in sorted(START_WORDS)),
        ("Yes", None, False, False, None),  # the consent to an offer
        ("START", None, False, False, None),
        ("yes please", None, True, False, None),
        ("STOP PLEASE", None, False, False, None),
        ("stop.", None, False, False, None),
        ("HELP", None, False, False, "help"),
        ("info", None, False, False, "help"),
        ("ARRET", "STOP", False, False, "stop"),
        ("ja", "START", True, False, "start"),
        ("ja", "START", False, False, None),
        ("hilfe", "HELP", False, False, "help"),
        ("more", None, False, True, "more"),
        ("MORE", None, False, False, None),
        ("tell me more", None, False, True, None),
        ("Hi", "SOMETHING", False, False, None),
    ],
)
def test_only_single_words_are_commands(
    text: str, opt_out: str | None, *, suppressed: bool, more: bool, command: str | None
) -> None:
    assert read_command(text, opt_out, is_suppressed=suppressed, has_more=more) == command


def test_a_state_only_moves_up_and_an_unknown_one_is_the_lowest() -> None:
    assert STATUS_RANKS["queued"] < STATUS_RANKS["sending"] < STATUS_RANKS["sent"] < STATUS_RANKS["delivered"]
    assert STATUS_RANKS["delivered"] == STATUS_RANKS["failed"] < STATUS_RANKS["read"]
    assert set(STATUS_RANKS) >= NOT_DELIVERED

    told = read_status(parameters(MessageStatus="partially_delivered", ErrorCode="30007"), ACCOUNT)

    assert (told.status, told.rank, told.error_code) == ("partially_delivered", 0, "30007")


@pytest.mark.parametrize(
    ("status", "body", "meaning", "code"),
    [
        (201, {"sid": SID, "status": "queued"}, "accepted", None),
        (201, {"sid": "nonsense"}, "unknown", 201),
        (200, None, "unknown", 200),
        (400, {"code": 21610}, "suppressed", 21610),
        (400, {"code": 21211}, "failed", 21211),
        (400, {"code": 21614}, "failed", 21614),
        (400, {"code": 21408}, "failed", 21408),
        (400, {"code": 21617}, "failed", 21617),
        (400, {"code": 21611}, "retry", 21611),
        (400, {"code": 21606}, "stopped", 21606),
        (400, {"code": 99999}, "failed", 99999),
        (400, None, "failed", 400),
        (401, {"code": 20003}, "stopped", 20003),
        (401, None, "stopped", 401),
        (404, {"code": 20404}, "stopped", 20404),
        (429, {"code": 20429}, "retry", 20429),
        (429, None, "retry", 429),
        (500, {"code": 20500}, "unknown", 20500),
        (502, None, "unknown", 502),
        (503, [1], "unknown", 503),
    ],
)
def test_an_answer_of_the_api_is_told_by_its_code(status: int, body: Any, meaning: str, code: int | None) -> None:
    answer = api.read_answer(status, {}, body)

    assert (answer.meaning, answer.code) == (meaning, code)


@pytest.mark.parametrize(("given", "seconds"), [("7", 7.0), ("99999999", 30.0), ("999999", 3_600.0), ("soon", 30.0)])
def test_the_pause_is_what_the_provider_asks_for_within_bounds(given: str, seconds: float) -> None:
    assert api.read_answer(429, {"retry-after": given}, None).pause_seconds == seconds


def test_a_reply_goes_out_from_the_number_that_was_written_to() -> None:
    def form(own: str, group: str | None) -> dict[str, str]:
        return api.write_form(
            ACCOUNT, recipient="+14155550101", own_address=own, own_group=group, text="x", callback="https://c"
        )

    assert form("+14155550199", None) == {
        "To": "+14155550101",
        "Body": "x",
        "StatusCallback": "https://c",
        "ValidityPeriod": "600",
        "From": "+14155550199",
    }
    assert form("+14155550199", SERVICE)["From"] == "+14155550199"
    assert "From" not in form("+14155550111", SERVICE)


def test_the_api_is_called_with_its_key_where_there_is_one() -> None:
    with_key = ACCOUNT.model_copy(update={"api_key_sid": "SK" + "1" * 32})

    assert api.credentials_of(ACCOUNT, SmsSecrets(auth_token="t")) == (ACCOUNT_SID, "t")
    assert api.credentials_of(with_key, SmsSecrets(auth_token="t", api_key_secret="s")) == ("SK" + "1" * 32, "s")


def test_a_message_is_found_in_the_list_by_recipient_words_and_time() -> None:
    at = datetime(2026, 11, 29, 12, tzinfo=UTC)
    page = {
        "messages": [
            {
                "sid": SID,
                "to": "+14155550101",
                "from": "+14155550199",
                "body": "hello",
                "direction": "outbound-api",
                "date_created": "Sun, 29 Nov 2026 12:00:01 +0000",
                "status": "sent",
            }
        ],
        "next_page_uri": "/2010-04-01/Accounts/AC/Messages.json?Page=1",
    }
    listed, following = api.read_list(page)

    def find(body: str = "hello", after: timedelta = timedelta(0), known: frozenset[str] = frozenset()) -> bool:
        return (
            api.find_sent(listed, recipient="+14155550101", body=body, not_before=at + after, known=known) is not None
        )

    assert following is not None
    assert find()
    assert not find("hello!")
    assert not find(after=timedelta(seconds=2))
    assert not find(known=frozenset({SID}))


@pytest.mark.parametrize("body", [None, [], {}, {"messages": "x"}])
def test_what_is_no_list_is_not_taken_for_an_empty_one(body: Any) -> None:
    with pytest.raises(ValueError, match="cannot be read"):
        api.read_list(body)


def test_a_next_page_elsewhere_is_not_followed() -> None:
    assert api.read_list({"messages": [], "next_page_uri": "https://evil.example/"})[1] is None
