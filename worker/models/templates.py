"""Write out training sentences that stand as lines with choices: `[a|b]` is one of them."""

from __future__ import annotations

import math
import re
from itertools import count

VARIANTS_MAX = 6
"""Sentences made of a line with choices; more when one of its choices alone has more."""
CHOICE_ROUNDS_MAX = 8
"""Rounds through the longest choice after which the combinations found are enough."""

_CHOICE = re.compile(r"\[([^\[\]]*\|[^\[\]]*)\]")


def expand(line: str) -> list[str]:
    """Write out the choices of a line: each choice once at least, and up to VARIANTS_MAX combinations of them."""
    parts = _CHOICE.split(line)
    options = [part.split("|") if index % 2 else [part] for index, part in enumerate(parts)]
    longest = max(map(len, options))
    wanted = min(math.prod(map(len, options)), max(longest, VARIANTS_MAX))
    variants: dict[str, None] = {}
    for number in count():
        # Going round once more, every second slot moves on by one, so that other combinations come up.
        rounds = number // longest
        chosen = [some[(number + rounds * place) % len(some)] for place, some in enumerate(options)]
        variants["".join(chosen)] = None
        if len(variants) >= wanted or number > CHOICE_ROUNDS_MAX * longest:
            return list(variants)
    raise AssertionError
