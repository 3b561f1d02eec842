"""Settings in sections: each stands in one, keeps its variable's name, and every section's checks hold together."""

from __future__ import annotations

import inspect
from collections import Counter
from pathlib import Path

import pytest
from pydantic import ValidationError

from runtime.configuration import load_settings, setting_names
from schema.settings import Settings
from schema.settings.guardrails import GuessSettings
from schema.settings.mailbox import MailboxSettings
from schema.settings.section import Section

FROZEN_NAMES = (Path(__file__).parent / "setting_names.txt").read_text().split()
"""The variables that deployments set; one that is renamed here is ignored there, or refused."""


def sections() -> list[type[Section]]:
    return [part for part in Settings.__mro__ if issubclass(part, Section) and part not in (Section, Settings)]


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in setting_names():
        monkeypatch.delenv(name, raising=False)


def test_every_setting_stands_in_exactly_one_section() -> None:
    declared = Counter(field for section in sections() for field in inspect.get_annotations(section))

    assert [field for field, count in declared.items() if count > 1] == []
    assert set(Settings.model_fields) == set(declared)


def test_every_setting_is_documented() -> None:
    assert [name for name, info in Settings.model_fields.items() if not info.description] == []


def test_the_names_of_the_variables_stay() -> None:
    assert sorted(setting_names()) == FROZEN_NAMES


def test_no_check_of_a_section_takes_the_place_of_another() -> None:
    """Pydantic keeps one check for each name: of two sections that called theirs alike, one's would never run."""
    checks: Counter[str] = Counter()
    for section in sections():
        own = section.__pydantic_decorators__
        checks.update(name for name in (*own.field_validators, *own.model_validators) if name in vars(section))

    assert len(checks) > 5
    assert [name for name, count in checks.items() if count > 1] == []


def test_a_section_is_made_without_the_others_and_without_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FTE_SENDER_GUESSES_PER_DAY_MAX", "7")

    assert GuessSettings(booking_guesses_per_day_max=2).sender_guesses_per_day_max == 5
    with pytest.raises(ValidationError, match="concurrency"):
        GuessSettings.model_validate({"concurrency": 3})


def test_the_checks_of_a_section_hold_for_it_and_for_all_settings() -> None:
    for kind in (MailboxSettings, Settings):
        with pytest.raises(ValidationError, match="over half of FTE_LEASE_SECONDS"):
            kind(lease_seconds=4, renew_seconds=3)


def test_lists_are_read_from_text_with_commas_in_whatever_section_they_stand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FTE_VECTOR_STORE_IDS", "vs_1, vs_2,")
    monkeypatch.setenv("FTE_MODEL", "openai:any")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-made-up")
    keys = ("a" * 43 + "=", "b" * 43 + "=")
    monkeypatch.setenv("FTE_VAULT_KEYS", f"{keys[0]},{keys[1]}")

    settings = load_settings()

    assert settings.vector_store_ids == ["vs_1", "vs_2"]
    assert [key.get_secret_value() for key in settings.vault_keys] == list(keys)


def test_flat_names_set_settings_of_any_section() -> None:
    settings = load_settings(concurrency=7, attempts_max=2, spans_days=3)

    assert (settings.concurrency, settings.attempts_max, settings.spans_days) == (7, 2, 3)
