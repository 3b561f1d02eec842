"""Channel accounts: which settings and secrets are taken, how a command line gives them, and what follows a send."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from ops.cli.channel_values import read_secrets, read_values
from ops.desk.channels import _changed as changed
from producer.delivery.reply_channel import SendKind, SendOutcome
from producer.delivery.reply_rules import judge_outcome
from producer.delivery.schedule import RetrySchedule
from producer.delivery.sms_replies import UnsafeApiUrl, check_api_url
from schema.channel_accounts import (
    SECRETS_OF,
    InvalidAccount,
    SmsSecrets,
    check_account,
    read_account,
    secrets_needed,
)
from schema.channels import Channel

SID = "AC" + "1" * 32
RIGHT = {"account_sid": SID, "public_url": "https://gate.example"}
NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
SCHEDULE = RetrySchedule((10.0, 60.0), timedelta(hours=1))


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"account_sid": "AC1"}, "account_sid"),
        ({"public_url": "https://gate.example/"}, "public_url"),
        ({"public_url": "https://gate.example?x=1"}, "public_url"),
        ({"public_url": "gate.example"}, "public_url"),
        ({"numbers": ["4155550199"]}, "numbers.0"),
        ({"numbers": ["+0123456789"]}, "numbers.0"),
        ({"messaging_services": ["MG1"]}, "messaging_services.0"),
        ({"segments_max": 0}, "segments_max"),
        ({"validity_seconds": 36_001}, "validity_seconds"),
        ({"api_key_sid": SID}, "api_key_sid"),
        ({"colour": "blue"}, "colour"),
    ],
)
def test_a_wrong_setting_is_named_without_its_value(settings: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidAccount) as refused:
        check_account("sms", RIGHT | settings, {"auth_token": "a-secret-token"})

    assert f"{field}:" in str(refused.value)
    assert "a-secret-token" not in str(refused.value)


def test_a_field_of_a_newer_release_is_passed_over_when_it_is_read() -> None:
    settings, secrets = read_account("sms", RIGHT | {"colour": "blue"}, {"auth_token": "t", "other": "x"})

    assert settings.account_sid == SID
    assert secrets == SmsSecrets(auth_token="t")


def test_secrets_do_not_show_in_a_traceback() -> None:
    secrets = SmsSecrets(auth_token="a-token", shared_keys={"rule": "a-key"})

    assert "a-token" not in f"{secrets} {secrets!r}"
    assert "a-key" not in f"{secrets} {secrets!r}"


def test_settings_are_given_as_names_and_values() -> None:
    given = ["numbers=+14155550199, 384387", "segments_max=4", "api_key_sid=", "public_url=https://x?a=b"]

    assert read_values("sms", given) == {
        "numbers": ["+14155550199", "384387"],
        "segments_max": "4",
        "api_key_sid": None,
        "public_url": "https://x?a=b",
    }
    with pytest.raises(typer.BadParameter):
        read_values("sms", ["numbers"])


def test_secrets_are_read_from_a_file_and_a_wrong_line_is_named_by_its_number(tmp_path: Path) -> None:
    file = tmp_path / "secrets"
    file.write_text("# ours\nauth_token = a=b \nshared_keys.rule-1=k\n\napi_key_secret=\n")

    assert read_secrets(str(file), ["auth_token"]) == {
        "auth_token": "a=b",
        "shared_keys": {"rule-1": "k"},
        "api_key_secret": None,
    }
    file.write_text("auth_token=x\na-secret-without-a-name\n")
    with pytest.raises(typer.BadParameter, match="line 2") as refused:
        read_secrets(str(file), ["auth_token"])
    assert "a-secret" not in str(refused.value)
    with pytest.raises(typer.BadParameter, match="cannot be read"):
        read_secrets(str(tmp_path / "nowhere"), [])


@pytest.mark.parametrize(
    ("channel", "settings", "needed"),
    [
        ("sms", {}, ["auth_token"]),
        ("sms", {"api_key_sid": "SK1"}, ["auth_token", "api_key_secret"]),
        ("sms", {"api_key_sid": None}, ["auth_token"]),
        ("email", {"addresses": ["a@b.example"], "relay_host": "localhost"}, []),
        ("email", {"relay_user": "fte"}, ["relay_password"]),
        (
            "email",
            {"relay_user": "fte", "inbound_providers": ["postmark", "mailgun"]},
            ["relay_password", "mailgun_signing_key", "postmark_password"],
        ),
    ],
)
def test_an_account_needs_the_secrets_that_its_settings_speak_of(
    channel: Channel, settings: dict[str, Any], needed: list[str]
) -> None:
    assert secrets_needed(channel, settings) == needed
    assert set(needed) <= set(SECRETS_OF[channel].model_fields)


def test_secrets_that_are_needed_are_asked_for_and_never_shown() -> None:
    app = typer.Typer()

    @app.command()
    def ask() -> None:
        typer.echo(read_secrets(None, ["relay_password"]) == {"relay_password": "s3cret"})

    assert CliRunner().invoke(app, input="s3cret\n").output == "relay_password: \nTrue\n"


def test_a_change_replaces_takes_back_and_changes_sets_by_key() -> None:
    stored = {"a": 1, "b": 2, "keys": {"one": "x", "two": "y"}}

    assert changed(stored, {"a": None, "b": 3, "keys": {"one": None, "three": "z"}}) == {
        "b": 3,
        "keys": {"two": "y", "three": "z"},
    }


def judge(kind: SendKind, *, tries: int = 0, aged: timedelta = timedelta(0), **outcome: Any) -> Any:
    row = {"tries": tries, "queued_at": NOW - aged, "now": NOW}
    return judge_outcome(SCHEDULE, row, SendOutcome(kind, **outcome))


@pytest.mark.parametrize(
    ("verdict", "state", "person"),
    [
        (judge("accepted"), "sent", False),
        (judge("failed", code="21614", reason="r"), "dead", True),
        (judge("failed", code="withheld", reason="r"), "withheld", False),
        (judge("suppressed", reason="r"), "suppressed", True),
        (judge("suppressed", code="21610", reason="r"), "suppressed", True),
        (judge("stopped", code="20003", reason="r"), "waiting", False),
        (judge("retry", code="stopped"), "waiting", False),
        (judge("retry", tries=1), "waiting", False),
        (judge("retry", tries=2), "dead", True),
        (judge("unknown", tries=2), "dead", True),
        (judge("retry", aged=timedelta(hours=2)), "dead", True),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_what_follows_an_outcome(verdict: Any, state: str, *, person: bool) -> None:
    assert (verdict.state, verdict.needs_person) == (state, person)


def test_only_the_providers_own_word_adds_a_suppression() -> None:
    assert judge("suppressed", code="21610").suppresses
    assert not judge("suppressed").suppresses


def test_an_account_is_stopped_by_the_provider_alone_and_for_the_reason_it_gave() -> None:
    assert judge("stopped", code="20003", reason="credentials").disabled_reason == "credentials"
    assert judge("retry", code="stopped", reason="the account is stopped").disabled_reason is None


def test_a_pause_that_the_provider_asks_for_is_kept() -> None:
    assert judge("retry", pause_seconds=300.0).after_seconds == 300.0
    assert judge("unknown", after_seconds=20.0).after_seconds >= 20.0
    assert 8.0 <= judge("retry").after_seconds <= 10.0


@pytest.mark.parametrize("url", ["http://api.example", "http://127.0.0.1.example", "http://10.0.0.1", "http://[::2]"])
def test_an_api_without_encryption_is_on_this_machine_or_refused(url: str) -> None:
    with pytest.raises(UnsafeApiUrl):
        check_api_url(url)


@pytest.mark.parametrize("url", ["https://api.example", "http://127.0.0.1:8071", "http://localhost", "http://[::1]:1"])
def test_an_api_with_encryption_or_on_this_machine_will_do(url: str) -> None:
    check_api_url(url)
