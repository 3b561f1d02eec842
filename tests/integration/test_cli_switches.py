"""`fte switches`, `fte pause` and `fte resume`, from the words on the command line to what operators read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from runtime.database import EVERY_TENANT, connect
from tests.unit.cli_harness import run_fte

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from schema.settings import Settings

Fte: TypeAlias = "Callable[..., tuple[int, Any, str]]"


@pytest.fixture
def fte(settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Fte]:
    monkeypatch.setenv("FTE_DATABASE_URL", settings.database_url or "")
    monkeypatch.setenv("FTE_REDIS_URL", settings.redis_url or "")
    monkeypatch.setenv("FTE_VAULT_KEYS", settings.vault_keys[0].get_secret_value())
    monkeypatch.setenv("COLUMNS", "200")
    yield lambda *words: run_fte(capsys, *words)
    with connect(settings.database_url or "") as connection:
        connection.execute("SELECT set_config('fte.tenant', %s, false)", [EVERY_TENANT])
        connection.execute("DELETE FROM switch")


OFF = ("switches", "off", "tool:confirm_quote", "--for", "2h", "--reason", "wrong prices", "--as", "ada")


def test_what_is_off_stands_at_the_top_of_every_page_of_operators(fte: Fte, tenant: str) -> None:
    off = fte(*OFF, "--tenant", tenant)

    pages = [fte(*words) for words in (("status",), ("top",), ("inbox", "--tenant", tenant))]
    elsewhere = fte("inbox", "--tenant", "default")
    on = fte("switches", "on", "tool:confirm_quote", "--tenant", tenant)
    afterwards = fte("top")

    banner = f"tool:confirm_quote of tenant {tenant} is off until "
    assert off[0] == on[0] == 0
    assert banner in off[1]
    for _, page, _ in pages:
        assert page.startswith(banner)
        assert "by ada: wrong prices" in " ".join(page.split())
    assert banner not in elsewhere[1]
    assert banner not in afterwards[1]


def test_the_list_is_for_programs_as_well(fte: Fte, tenant: str) -> None:
    fte(*OFF, "--tenant", tenant)
    fte("pause", "--reason", "maintenance", "--as", "bob")

    _, listed, _ = fte("switches", "list", "--json")
    _, status, _ = fte("status", "--json")
    _, table, _ = fte("switches", "list")

    assert [(row["kind"], row["name"], row["tenant"], row["by"]) for row in listed] == [
        ("turns", "*", None, "bob"),
        ("tool", "confirm_quote", tenant, "ada"),
    ]
    assert listed[1]["off_until"] > listed[1]["off_at"]
    assert status[0]["switches"] == listed
    assert "all turns (paused)" in table


def test_a_pause_is_told_and_ended(fte: Fte, tenant: str) -> None:
    paused = fte("pause", "--tenant", tenant, "--reason", "maintenance")
    status = fte("status")
    of_all = fte("resume")
    resumed = fte("resume", "--tenant", tenant)

    assert paused[0] == 0
    assert f"work of tenant {tenant} is paused until it is turned on" in status[1]
    assert of_all[0] == 1
    assert f"turns:* of tenant {tenant}" in of_all[2]
    assert resumed[0] == 0


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("switches", "off", "tool:confirm_qoute", "--reason", "x"), 1, "confirm_quote"),
        (("switches", "off", "agent:nobody", "--reason", "x"), 1, "booking"),
        (("switches", "off", "channel:fax", "--reason", "x"), 1, "sms"),
        (("switches", "off", "confirm_quote", "--reason", "x"), 1, "KIND:NAME"),
        (("switches", "off", "tenant:nobody", "--reason", "x"), 1, "no tenant 'nobody'"),
        (("switches", "off", "tool:confirm_quote"), 2, "--reason"),
        (("switches", "off", "channel:sms", "--reason", " "), 2, "--reason"),
        (("switches", "off", "channel:sms", "--reason", "x", "--for", "soon"), 2, "--for"),
        (("switches", "off", "channel:sms", "--reason", "x", "--for", "9999d"), 2, "--for"),
        (("switches", "on", "channel:sms"), 1, "is not off; off is nothing"),
        (("resume",), 1, "is not off"),
    ],
)
def test_what_cannot_be_done_is_said_with_the_way_out(fte: Fte, words: tuple[str, ...], code: int, told: str) -> None:
    ended = fte(*words)

    assert ended[0] == code
    assert told in ended[2]
    assert fte("switches", "list", "--json")[1] == []


def test_a_tool_of_a_documentation_server_is_switched_when_that_is_said(
    fte: Fte,
) -> None:
    code, _, _ = fte("switches", "off", "tool:search_wiki", "--any-name", "--reason", "x")

    assert code == 0
    assert [row["name"] for row in fte("switches", "list", "--json")[1]] == ["search_wiki"]
