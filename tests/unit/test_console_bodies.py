"""What PostgreSQL cannot hold is refused below /v1/admin before it gets there."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from ops.console.bodies import NewTenant, Rotation, SettingsChange, Suspension, Undo


@pytest.mark.parametrize(
    ("model", "body"),
    [
        (Suspension, {"because": "a\x00b"}),
        (Suspension, {"because": "\ud800"}),
        (SettingsChange, {"settings": {"brand": {"deep": ["\x00"]}}}),
        (SettingsChange, {"settings": {"\x00": 1}}),
        (SettingsChange, {"settings": {"brand": "\udfff"}}),
        (NewTenant, {"tenant": "a", "reason": "\\\x00"}),
        (Undo, {"version": False}),
        (Undo, {"version": "1"}),
        (Rotation, {"overlap_seconds": True}),
    ],
)
def test_what_cannot_be_stored_is_refused(model: type[BaseModel], body: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        model.model_validate(body)


def test_a_backslash_before_the_letters_of_an_escape_is_text_like_any() -> None:
    assert Suspension(because="\\u0000 \\\\u0000").because == "\\u0000 \\\\u0000"
