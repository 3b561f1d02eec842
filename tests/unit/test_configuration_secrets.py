"""No error shows what stands in a setting, for it may be a secret that was pasted into the wrong place."""

from __future__ import annotations

import json

import pytest

from runtime.configuration import load_settings, setting_names
from schema.errors import InvalidSettings

CANARY = "s3cr3t-canary"
SHAPES = {
    "plain": CANARY,
    "padded": f" {CANARY} ",
    "a header": json.dumps(
        [{"name": "docs", "url": "http://x", "headers": {"Authorization": f"Bearer {CANARY}"}, "z": 1}]
    ),
    "a wrong server": json.dumps([{"name": CANARY, "url": f"ftp://u:{CANARY}@x", "command": [CANARY]}]),
    "a model": f"openai:{CANARY}",
    "a list": json.dumps([CANARY, {"key": CANARY}]),
    "an object": json.dumps({"m": {"input": CANARY, "output": CANARY}}),
    "broken JSON": f'[{{"headers": "{CANARY}',
    "an address": f"http://user:{CANARY}@host:port/x?password={CANARY}",
}
"""Values that are wrong for most settings, each with a secret inside."""


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("variable", sorted(setting_names()))
def test_no_error_shows_the_value_of_a_setting(monkeypatch: pytest.MonkeyPatch, variable: str, shape: str) -> None:
    monkeypatch.setenv(variable, SHAPES[shape])

    try:
        load_settings()
    except InvalidSettings as error:
        said = f"{error} {error!r} {error.__cause__!r}"
    else:
        said = ""  # it fits this setting

    assert CANARY not in said


def test_a_number_that_is_out_of_bounds_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FTE_CONCURRENCY", "0")

    with pytest.raises(InvalidSettings, match=r"FTE_CONCURRENCY=0: "):
        load_settings()
