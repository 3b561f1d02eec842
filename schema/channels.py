"""Channels on which customers write; every list of channels and every stream of replies derives from here.

A new one is read in one release and written in the next (docs/development.md): add it here, and let gateways send on it
once every process is of this release or a newer one.
"""

from __future__ import annotations

from typing import Literal, get_args

Channel = Literal["email", "sms", "chat"]

CHANNELS: tuple[Channel, ...] = get_args(Channel)
"""Every channel, in the order in which they are listed for people."""
