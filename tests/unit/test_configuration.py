"""Settings: every wrong one is named at once, and a key is made where none is set."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from runtime.configuration import environment_of, load_settings, open_sealer, setting_names
from runtime.sealing import Sealer
from schema.errors import InvalidSettings, Unsealable
from schema.settings import Settings
from worker.models.client import make_client


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

    assert "FTE_CONCURRENCY: Input should be a valid integer" in str(refused.value)
    assert "FTE_PARTITIONS=0" in str(refused.value)
    assert "FTE_LEASE_SECOND: no such setting" in str(refused.value)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("FTE_MODEL", "gpt", "unknown model; give local"),
        ("OPENAI_BASE_URL", "127.0.0.1:4111/v1", "OPENAI_BASE_URL: no address"),
        ("OPENAI_API_KEY", "two words", "OPENAI_API_KEY: a key is one word"),
        ("FTE_MODEL_PRICES", '{"gpt-5-mini": {"input": 0.25}}', "FTE_MODEL_PRICES: gpt-5-mini.output: Field required"),
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


def test_another_process_loads_the_same_settings_from_the_environment_handed_to_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FTE_LEASE_SECONDS", "31")
    settings = load_settings(
        model="openai-chat:small",
        openai_api_key="sk-one",
        abuse_asks_model=False,
        model_prices={"small": {"input": "0.25", "output": "1.5"}},
        model_reasoning_effort=None,
        vault_keys=[Fernet.generate_key().decode(), Fernet.generate_key().decode()],
        webhook_networks=["10.0.0.0/8", "::1/128"],
        burst_quiet_seconds={"sms": 2.5},
        state_dir=Path("elsewhere"),
    )

    for name, value in environment_of(settings).items():
        monkeypatch.setenv(name, value)

    assert load_settings() == settings
    assert "FTE_CONCURRENCY" not in environment_of(settings), "what nobody set is left to the other process"


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


def test_what_kubernetes_says_of_a_service_is_no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "FTE_SERVICE_HOST": "10.0.0.7",
        "FTE_PORT": "tcp://10.0.0.7:80",
        "FTE_REDIS_SERVICE_HOST": "10.0.0.7",
        "FTE_REDIS_SERVICE_PORT": "6379",
        "FTE_REDIS_SERVICE_PORT_RESP": "6379",
        "FTE_REDIS_PORT": "tcp://10.0.0.7:6379",
        "FTE_REDIS_PORT_6379_TCP": "tcp://10.0.0.7:6379",
        "FTE_REDIS_PORT_6379_TCP_ADDR": "10.0.0.7",
        "FTE_REDIS_PORT_6379_TCP_PORT": "6379",
    }.items():
        monkeypatch.setenv(name, value)

    assert load_settings().redis_url is None


def test_what_only_looks_like_a_service_is_a_setting_that_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FTE_REDIS_PORT", "6379")

    with pytest.raises(InvalidSettings, match="FTE_REDIS_PORT: no such setting"):
        load_settings()


def test_both_wrong_addresses_are_named_and_neither_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FTE_DATABASE_URL", "postgresql+psycopg://u:secretpw@db/fte")
    monkeypatch.setenv("FTE_REDIS_URL", "sentinel://:secretpw@cache:26379")

    with pytest.raises(InvalidSettings) as refused:
        load_settings()

    assert [problem.partition(":")[0] for problem in refused.value.problems] == ["FTE_DATABASE_URL", "FTE_REDIS_URL"]
    assert "secretpw" not in str(refused.value)


def test_an_empty_setting_is_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FTE_REDIS_URL", "")
    monkeypatch.setenv("FTE_CONCURRENCY", "")

    assert load_settings().concurrency == Settings().concurrency


def test_the_key_of_a_model_is_missing_only_where_a_model_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "")
    monkeypatch.setenv("FTE_MODEL", "openai:gpt-5")

    settings = load_settings()

    assert settings.missing_keys == ["FTE_MODEL=openai:gpt-5 needs OPENAI_API_KEY, or set FTE_MODEL=local"]
    with pytest.raises(InvalidSettings, match="needs OPENAI_API_KEY"):
        make_client(settings)
