from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from schema.tenants import InvalidTenantSettings, TenantSettings, check_tenant_settings, read_tenant_settings

EVERYTHING: dict[str, Any] = {
    "brand": "Nordwind",
    "channels": ["chat", "sms"],
    "prompt_lines": ["Our lounge in Oslo is closed until March."],
    "model": "openai:gpt-5",
    "limits": {"new_conversations_per_minute": 50, "messages_per_minute": 500, "streams": 3},
    "ceilings": {"usd_per_day": "12.50"},
    "knowledge": {"similarity_min": 0.4},
    "retention": {"spans_days": 7, "usage_days": 90, "conversations_days": 30},
    "escalation_hours": {
        "time_zone": "Europe/Oslo",
        "hours": [{"days": ["mon", "fri"], "opens": "08:00", "closes": "00:00"}],
    },
    "episodes": {"idle_hours": {"chat": 2.0}},
    "desk": {
        "lease_minutes": 20.0,
        "on_silence": ["remind", "apologise"],
        "apology_minutes": 30.0,
        "tells_every_act": True,
    },
    "approvals": {
        "refund_usd_over": 400,
        "compensation_usd_over": 200,
        "waiver_usd_over": 0,
        "decide_minutes": 60.0,
    },
    "remembers_customers": False,
    "emergency_number": "113",
    "crisis_line": "call 116 123",
}


def test_everything_that_can_be_set_is_taken_and_stored_as_it_was_given() -> None:
    settings = check_tenant_settings(EVERYTHING)

    assert set(EVERYTHING) == set(TenantSettings.model_fields)
    assert settings.ceilings.usd_per_day == Decimal("12.50")
    assert check_tenant_settings(settings.stored()) == settings
    assert set(settings.stored()) == set(EVERYTHING)


def test_a_number_is_taken_where_text_is_wanted() -> None:
    assert check_tenant_settings({"emergency_number": 113}).stored() == {"emergency_number": "113"}


def test_a_tenant_that_sets_nothing_has_the_defaults() -> None:
    settings = TenantSettings()

    assert settings.channels == ("email", "sms", "chat")
    assert settings.limits.new_conversations_per_minute == 100
    assert settings.brand is settings.model is settings.emergency_number is settings.crisis_line is None


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"brandt": "x"}, "brandt: no such setting"),
        (
            {"limits": {"messages": 1}},
            "limits.messages: no such setting of a tenant; there are messages_per_minute, new_conv",
        ),
        (
            {"escalation_hours": {"hours": [{"days": ["mon"], "opens": "08:00", "closes": "09:00", "zone": "x"}]}},
            "escalation_hours.hours.0.zone: no such setting of a tenant; there are closes, days, opens",
        ),
        ({"brand": "a{b}"}, "brand: "),
        ({"brand": ""}, "brand: "),
        ({"channels": []}, "channels: "),
        ({"channels": ["fax"]}, "channels.0: "),
        ({"prompt_lines": ["two\nlines"]}, "prompt_lines.0: "),
        ({"prompt_lines": ["a {brace}"]}, "prompt_lines.0: "),
        ({"prompt_lines": ["x"] * 21}, "prompt_lines: "),
        ({"model": "gpt-5"}, "model: "),
        ({"model": "stub"}, "model: "),
        ({"limits": {"streams": 0}}, "limits.streams: "),
        ({"ceilings": {"usd_per_day": -1}}, "ceilings.usd_per_day: "),
        ({"retention": {"spans_days": 0}}, "retention.spans_days: "),
        ({"episodes": {"idle_hours": {"chat": 0}}}, "episodes.idle_hours.chat: "),
        ({"episodes": {"idle_hours": {"fax": 1}}}, "episodes.idle_hours.fax"),
        ({"escalation_hours": {"time_zone": "Mars/Base"}}, "escalation_hours.time_zone: no such time zone"),
        (
            {"escalation_hours": {"hours": [{"days": ["mon"], "opens": "18:00", "closes": "08:00"}]}},
            "escalation_hours.hours.0: closes at",
        ),
        ({"emergency_number": "1" * 201}, "emergency_number: "),
        ({"crisis_line": "{x}"}, "crisis_line: "),
    ],
)
def test_what_cannot_be_set_is_named(given: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidTenantSettings) as refused:
        check_tenant_settings(given)

    assert [text for text in refused.value.problems if text.startswith(problem)] != []


def test_all_problems_are_named_at_once_and_no_value_with_them() -> None:
    with pytest.raises(InvalidTenantSettings) as refused:
        check_tenant_settings({"brand": "pasted {secret}", "model": "pasted secret"})

    assert len(refused.value.problems) == 2
    assert "pasted" not in str(refused.value)


def test_a_newer_releases_fields_are_passed_over_and_its_values_leave_the_default() -> None:
    settings, unreadable = read_tenant_settings({"brand": "B", "colour": "red", "channels": ["telepathy"]})

    assert (settings.brand, settings.channels) == ("B", TenantSettings().channels)
    assert unreadable == ["channels"]
