"""Define the settings of a deployment's keys and state folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import NoDecode

from schema.settings.section import Section, split_at_commas


def default_state_dir() -> Path:
    """Return the state folder as the XDG base directory specification places it."""
    base = os.environ.get("XDG_STATE_HOME")
    if base:
        return Path(base) / "fte"
    try:
        return Path.home() / ".local" / "state" / "fte"
    except RuntimeError:  # a user id without a home, as in some containers: who needs the folder is told to name one
        return Path("/nonexistent") / "fte"


class SealingSettings(Section):
    """Keys that seal what is private, and the folder where one is made."""

    state_dir: Path = Field(
        default_factory=default_state_dir, description="folder of the embedded stack and of a vault key made here"
    )
    vault_keys: Annotated[list[SecretStr], NoDecode] = Field(
        default_factory=list,
        description="Fernet keys, comma separated, newest first; unset: one is made in the state folder",
    )

    conversation_keys: bool = Field(
        default=False,
        description="seal what is kept of a conversation with a key of its own; once every process runs this release",
    )

    @field_validator("vault_keys", mode="before")
    @classmethod
    def _split_vault_keys(cls, value: object) -> object:
        return split_at_commas(value)
