from __future__ import annotations

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from ops.cli.settings import describe_settings
from runtime.configuration import setting_names
from schema.settings import Settings
from tests.unit.cli_harness import run_fte


def described(settings: Settings) -> dict[str, object]:
    return {row["setting"]: row["value"] for row in describe_settings(settings)}


def test_every_setting_is_described() -> None:
    rows = describe_settings(Settings())

    assert [row["setting"] for row in rows] == list(setting_names())
    assert [row["setting"] for row in rows if not row["description"]] == []


def test_no_secret_is_shown() -> None:
    key = Fernet.generate_key().decode()
    settings = Settings(
        vault_keys=[SecretStr(key)],
        database_url="postgresql://fte:hunter2@db.example/fte?sslpassword=hunter3",
        redis_url="redis://:hunter4@cache.example:6379/0",
    )

    shown = str(describe_settings(settings))

    assert [secret for secret in (key, "hunter2", "hunter3", "hunter4") if secret in shown] == []


CANARY = "s3cr3t-canary"
SECRETIVE: dict[str, list[object]] = {
    "database_url": [
        f"postgresql://u:{CANARY}@db/x",
        f"postgresql://u@db/x?password={CANARY}&sslmode=require",
        f"postgresql://u@db/x?sslkey=%2F{CANARY}",
        f"host=db dbname=x password={CANARY}",
    ],
    "http_database_url": [f"postgresql://u:{CANARY}@db/x"],
    "redis_url": [f"redis://:{CANARY}@cache:6379/0", f"rediss://cache:6379/0?password={CANARY}"],
    "openai_base_url": [f"https://u:{CANARY}@gateway/v1", f"https://gateway/v1?key={CANARY}", f"http://x/v1#{CANARY}"],
    "otlp_endpoint": [f"https://u:{CANARY}@collector:4318", f"http://collector:4318?token={CANARY}"],
    "mcp_servers": [
        [{"name": "docs", "url": f"https://docs/mcp?token={CANARY}"}],
        [{"name": "docs", "url": f"https://u:{CANARY}@docs/mcp"}],
        [{"name": "docs", "url": f"https://docs/mcp?{CANARY}"}],
        [{"name": "docs", "url": "https://docs/mcp", "headers": {"Authorization": f"Bearer {CANARY}"}}],
        [{"name": "docs", "command": ["docs-server", "--token", CANARY]}],
        [{"name": "docs", "command": ["docs-server"], "environment": {"TOKEN": CANARY}}],
    ],
}
"""Every setting of text that may hold a secret, with a secret in each place where one can stand."""
HARMLESS = {
    "gateway_listen",
    "gateway_metrics_listen",
    "metrics_listen",
    "mail_door_listen",
    "gateway_proxies",
    "state_dir",
    "brand",
    "model",
    "embedding_model",
    "vector_store_ids",
    "model_prices",
    "model_service_tier",
    "vault_keys",
    "openai_api_key",
    "emergency_number",
    "crisis_line",
}
"""Text without a secret, and keys, which are masked by their type."""


@pytest.mark.parametrize(("field", "value"), [(field, value) for field in SECRETIVE for value in SECRETIVE[field]])
def test_no_place_of_a_setting_shows_a_secret(field: str, value: object) -> None:
    both = {"database_url": "postgresql://u@db/x", "redis_url": "redis://cache:6379/0"}
    settings = Settings.model_validate(both | {field: value})

    assert CANARY not in str(describe_settings(settings))


def test_every_setting_of_text_is_known_to_be_harmless_or_is_tried() -> None:
    text = {
        name
        for name, info in Settings.model_fields.items()
        if any(kind in str(info.annotation) for kind in ("str", "Path", "Secret", "Server", "Price"))
        and "Literal" not in str(info.annotation)
    }

    assert text - HARMLESS - set(SECRETIVE) == set()


def test_a_url_shows_where_it_leads() -> None:
    settings = Settings(database_url="postgresql://fte:pw@db.example/fte", redis_url="redis://cache.example:6379/0")

    shown = described(settings)

    assert shown["FTE_DATABASE_URL"] == "postgresql://fte:********@db.example/fte"
    assert shown["FTE_REDIS_URL"] == "redis://cache.example:6379/0"


def test_the_command_prints_json_a_program_can_read(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FTE_CONCURRENCY", "17")

    code, lines, _ = run_fte(capsys, "settings", "--json")

    assert code == 0
    assert next(line for line in lines if line["setting"] == "FTE_CONCURRENCY")["value"] == 17
    assert next(line for line in lines if line["setting"] == "FTE_CONCURRENCY")["default"] == 256


def test_prices_and_amounts_are_shown_too(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("FTE_MODEL_PRICES", '{"gpt-x": {"input": 0.25, "output": 2}}')
    monkeypatch.setenv("FTE_TENANT_USD_PER_DAY_MAX", "2.50")

    code, lines, _ = run_fte(capsys, "settings", "--json")
    shown = {line["setting"]: line["value"] for line in lines}

    assert code == 0
    assert shown["FTE_MODEL_PRICES"] == {"gpt-x": {"input": "0.25", "cached_input": None, "output": "2"}}
    assert shown["FTE_TENANT_USD_PER_DAY_MAX"] == "2.50"
    assert run_fte(capsys, "settings")[0] == 0


def test_the_command_marks_what_differs_from_the_default(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FTE_CONCURRENCY", "17")

    code, output, _ = run_fte(capsys, "settings")

    assert code == 0
    assert "default 256" in output
