"""`fte tenant` and `fte keys`, from the words on the command line to what they print."""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import Any

import pytest

from ops.cli.main import run
from runtime.api_keys import ApiKeys, KeyRefused
from runtime.database import Database
from schema.settings import Settings


class Fte:
    """Runs the command line on the servers of the tests."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *words: str, code: int = 0) -> str:
        with pytest.raises(SystemExit) as ended:
            run(list(words))
        told = self._capsys.readouterr()
        assert ended.value.code == code, told.err
        return told.out if code == 0 else told.err

    def json(self, *words: str) -> Any:
        lines = self(*words, "--json").splitlines()
        return [json.loads(line) for line in lines]


@pytest.fixture
def fte(settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Fte:
    monkeypatch.setenv("FTE_DATABASE_URL", settings.database_url or "")
    monkeypatch.setenv("FTE_REDIS_URL", settings.redis_url or "")
    monkeypatch.setenv("FTE_VAULT_KEYS", settings.vault_keys[0].get_secret_value())
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    return Fte(capsys)


@pytest.fixture
def name() -> str:
    return f"t{uuid.uuid4().hex[:12]}"


def verify(settings: Settings, text: str) -> str:
    """Verify a key as another process does; gives its tenant."""

    async def ask() -> str:
        database = Database(settings)
        await database.open()
        try:
            return (await ApiKeys(database).verify(text, "192.0.2.7")).tenant
        finally:
            await database.close()

    return asyncio.run(ask())


def test_a_tenant_is_made_changed_and_undone(fte: Fte, name: str) -> None:
    made = fte("tenant", "create", name, "brand=Nordwind Air", "--as", "ada")
    changed = fte.json(
        "tenant", "set", name, "limits.streams=5", "emergency_number=113", 'channels=["chat"]', "--as", "bob"
    )[0]
    shown = fte("tenant", "show", name)
    undone = fte.json("tenant", "undo", name, "--because", "too few", "--as", "cyd")[0]
    history = fte.json("tenant", "history", name)
    listed = fte("tenant", "list")

    assert f"fte kb import DIR --tenant {name}" in made
    assert changed["settings"] == {
        "brand": "Nordwind Air",
        "limits": {"streams": 5},
        "emergency_number": "113",
        "channels": ["chat"],
    }
    assert "limits.streams" in shown
    assert undone["settings"] == {"brand": "Nordwind Air"}
    assert [(row["changed_by"], row["reason"]) for row in history] == [("cyd", "too few"), ("bob", None), ("ada", None)]
    assert "Nordwind Air" in listed


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("limits.streams=0",), "limits.streams: "),
        (("limits.strems=1",), "limits.strems: no such setting"),
        (("brand",), "SETTING=VALUE"),
        (("a..b=1",), "SETTING=VALUE"),
        (("limits=1", "limits.streams=2"), "at the same time"),
        (("brand=One", "--version", "7"), "no longer at version 7"),
        (("model=openai:gpt-5",), "model: openai:gpt-5 needs OPENAI_API_KEY"),
        (("retention.spans_days=15",), "more than the deployment's 14"),
    ],
)
def test_what_cannot_be_set_is_told(fte: Fte, name: str, words: tuple[str, ...], told: str) -> None:
    fte("tenant", "create", name)

    code = 2 if told in {"SETTING=VALUE", "at the same time"} else 1
    assert told in fte("tenant", "set", name, *words, code=code)


def test_a_key_is_shown_once_works_and_stops(fte: Fte, settings: Settings, name: str) -> None:
    fte("tenant", "create", name)

    text = fte("keys", "create", "SMS gateway", "--tenant", name, "--expires", "90d").strip()
    listed = fte.json("keys", "list", "--tenant", name)
    pages = fte("keys", "list", "--tenant", name)
    works_for = verify(settings, text)
    newer = fte.json("keys", "rotate", listed[0]["key_id"], "--tenant", name, "--overlap", "1h")[0]
    also = [verify(settings, one) for one in (text, newer["key"])]
    fte("keys", "revoke", listed[0]["key_id"], "--tenant", name)
    gone = fte("keys", "rotate", listed[0]["key_id"], "--tenant", name, code=1)

    assert text.startswith("fte_")
    assert text not in json.dumps(listed) + pages
    assert works_for == name
    assert also == [name, name]
    assert "revoked or expired" in gone
    assert verify(settings, newer["key"]) == name
    with pytest.raises(KeyRefused):
        verify(settings, text)


def test_a_key_that_cannot_be_made_is_told_why(fte: Fte, name: str) -> None:
    fte("tenant", "create", name)
    create = ("keys", "create", "x", "--tenant", name)

    assert "no tenant 'nobody'" in fte("keys", "create", "x", "--tenant", "nobody", code=1)
    assert "give some of messages:write" in fte(*create, "--scope", "all", code=1)
    assert "with its zone" in fte(*create, "--expires", "soon", code=2)
    assert "host bits" in fte(*create, "--address", "192.0.2.1/24", code=1)
    assert "admin alone" in fte("keys", "create", "x", "--operator", "--scope", "desk", code=1)
    assert fte("keys", "create", "x", "--operator").startswith("fte_")


def test_a_tenant_is_suspended_before_it_is_deleted_and_its_name_is_said_twice(fte: Fte, name: str) -> None:
    fte("tenant", "create", name, "brand=Going")
    early = fte("tenant", "delete", name, "--confirm", name, code=1)
    fte("tenant", "suspend", name, "--because", "left")
    mistaken = fte("tenant", "delete", name, "--confirm", "other", code=2)
    receipt = fte("tenant", "delete", name, "--confirm", name)
    gone = fte("tenant", "show", name, code=1)

    assert "suspend it first" in early
    assert "the tenant is" in mistaken
    assert "1 rows of tenant_settings" in receipt
    assert "no tenant" in gone
