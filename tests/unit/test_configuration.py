"""Settings: every wrong one is named at once, and a key is made where none is set."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from runtime.configuration import load_settings, open_sealer, setting_names
from runtime.sealing import Sealer
from schema.errors import InvalidSettings, Unsealable
from schema.settings import Settings


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in setting_names():
        monkeypatch.delenv(name, raising=False)


def test_every_wrong_setting_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FTE_CONCURRENCY", "many")
    monkeypatch.setenv("FTE_PARTITIONS", "0")
    monkeypatch.setenv("FTE_LEASE_SECOND", "6")

    with pytest.raises(InvalidSettings) as refused:
        load_settings()

    assert "FTE_CONCURRENCY=many" in str(refused.value)
    assert "FTE_PARTITIONS=0" in str(refused.value)
    assert "FTE_LEASE_SECOND: no such setting" in str(refused.value)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("FTE_MODEL", "gpt", "unknown model 'gpt'"),
        ("FTE_MODEL", "openai:gpt-5", "needs OPENAI_API_KEY"),
        ("FTE_DATABASE_URL", "postgresql://localhost/fte", "go together"),
        ("FTE_RENEW_SECONDS", "5", "over half of FTE_LEASE_SECONDS"),
        ("FTE_VAULT_KEYS", "short", "FTE_VAULT_KEYS"),
    ],
)
def test_a_wrong_setting_is_refused_before_work_starts(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(InvalidSettings, match=said):
        load_settings()


def test_a_wrong_key_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FTE_VAULT_KEYS", "my-secret-key")

    with pytest.raises(InvalidSettings) as refused:
        load_settings()

    assert "my-secret-key" not in str(refused.value)


def test_a_key_is_made_once_and_kept_for_its_owner_alone(tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path / "state")

    sealed = open_sealer(settings).seal("hello")

    assert open_sealer(settings).open(sealed) == "hello"
    assert (tmp_path / "state" / "vault.key").stat().st_mode & 0o077 == 0


def test_a_rotated_key_opens_what_the_old_one_sealed() -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    sealed = Sealer([old]).seal("hello")

    assert Sealer([new, old]).open(sealed) == "hello"
    with pytest.raises(Unsealable, match="cannot be opened"):
        Sealer([new]).open(sealed)
