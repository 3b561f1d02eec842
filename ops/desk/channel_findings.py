"""What a check of a channel account finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from schema.errors import FteError

if TYPE_CHECKING:
    from runtime.channel_accounts import ChannelAccount


@dataclass(frozen=True)
class AccountFinding:
    """One thing that a check looked at."""

    name: str
    state: Literal["right", "wrong", "advice"]
    text: str


class CannotBeChecked(FteError):
    """A channel that no check or test knows, or a customer who may not be written to."""


def look_at_state(account: ChannelAccount) -> AccountFinding:
    """Tell whether an account is in service."""
    if account.stopped_because is not None:
        text = f"stopped: {account.stopped_because}; `fte channels enable` when it is mended"
        return AccountFinding("account", "wrong", text)
    return AccountFinding("account", "right", "in service")
