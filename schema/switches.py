"""What operators can switch off, and how they name it: `tool:confirm_quote`."""

from __future__ import annotations

import re
from typing import Final, Literal, NamedTuple, get_args

from schema.channels import CHANNELS
from schema.errors import FteError
from schema.tenants import MODEL_PATTERN

SwitchKind = Literal["tenant", "channel", "agent", "tool", "provider", "turns"]
"""tenant, channel: nobody there is answered by the bot · agent: nothing goes to it · tool: it is not called · provider:
its models are not asked · turns: none is begun, which is a pause."""

SWITCH_KINDS: Final[tuple[SwitchKind, ...]] = get_args(SwitchKind)
"""Every kind, in the order in which they are listed for people."""

NAME_CHARACTERS_MAX: Final = 100

PROVIDER: Final = "openai"
"""Name of the one provider that models are asked at: the account behind `openai:` and `openai-chat:` alike."""

ANY_NAME: Final = "*"
"""Name of what has none: all turns."""


class InvalidTarget(FteError):
    """What is to be switched is named in a form, or by a name, that means nothing."""


class SwitchTarget(NamedTuple):
    """What is switched: its kind and its name."""

    kind: SwitchKind
    name: str

    def __str__(self) -> str:
        """Return it as operators write it."""
        return f"{self.kind}:{self.name}"


ALL_TURNS: Final = SwitchTarget("turns", ANY_NAME)
"""What a pause switches off."""


def parse_target(text: str) -> SwitchTarget:
    """Parse `KIND:NAME`, such as `agent:booking` or `provider:openai:gpt-5`; raises InvalidTarget."""
    given, separator, name = text.partition(":")
    kinds = [kind for kind in SWITCH_KINDS if kind != ALL_TURNS.kind]
    kind = next((known for known in kinds if known == given), None)
    if kind is None or not separator:
        raise InvalidTarget(f"{text[:80]!r} is not of the form KIND:NAME, with one of {', '.join(kinds)} as its kind")
    if not name or len(name) > NAME_CHARACTERS_MAX or not name.isprintable() or name != name.strip():
        raise InvalidTarget(f"{kind}: a name has 1 to {NAME_CHARACTERS_MAX} printable characters")
    if kind == "channel" and name not in CHANNELS:
        raise InvalidTarget(f"no channel {name!r}; there are {', '.join(CHANNELS)}")
    if kind == "provider" and name != PROVIDER and (name == "local" or not re.match(MODEL_PATTERN, name)):
        raise InvalidTarget(f"no provider {name!r}; there are {PROVIDER}, openai:<model> and openai-chat:<model>")
    return SwitchTarget(kind, name)
