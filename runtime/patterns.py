"""Load word lists and patterns from text files, where each alternative has a line of its own.

A file has sections. `[name]` holds regular expressions, one alternative a line or several between ` | `. `[name*]`
holds words between blanks, `_` for a blank inside one, each with its plural. `{name}` stands for an earlier section.
`# ` begins a comment line.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType

_HEADER = re.compile(r"\[(?P<name>[a-z_]+)(?P<words>\*?)\]")
_REFERENCE = re.compile(r"\{([a-z_]+)\}")


@cache
def load_patterns(package: str, file: str) -> Mapping[str, str]:
    """Return each section of a packaged file as one regular-expression group, in the order of the file.

    Raises ValueError for a line outside a section, KeyError for a reference to a section that is not above.
    """
    written = resources.files(package).joinpath(file).read_text(encoding="utf-8")
    found: dict[str, str] = {}
    name, of_words = "", False
    alternatives: list[str] = []
    for number, line in enumerate([*written.splitlines(), "[end]"], start=1):
        header = _HEADER.fullmatch(line)
        if header is not None:
            if name:
                found[name] = _join(alternatives, found)
            name, of_words, alternatives = header["name"], bool(header["words"]), []
        elif line and not line.startswith("# "):
            if not name:
                raise ValueError(f"{file}:{number}: stands before the first section")
            alternatives.extend(_with_plurals(line) if of_words else line.split(" | "))
    return MappingProxyType(found)


def _with_plurals(line: str) -> list[str]:
    return [re.escape(word.replace("_", " ")) + "(?:e?s)?" for word in line.split()]


def _join(alternatives: list[str], known: Mapping[str, str]) -> str:
    # Longest first, so that of two alternatives that both fit, the fuller one is taken.
    ordered = sorted(alternatives, key=len, reverse=True)
    return "(?:" + "|".join(_REFERENCE.sub(lambda match: known[match[1]], one) for one in ordered) + ")"
