"""Read address fields (RFC 5322, 3.4) in linear time: names, addresses, comments, groups, and what is none of these.

The standard library's parser recurses into comments, and its strict mode is missing from early releases of Python 3.11;
without it, two readers take one field for two different addresses.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from producer.channels.email.clean_text import NAME_CHARACTERS_MAX, ascii_domain, clean_line

ADDRESSES_MAX: Final = 50
"""Addresses of one field that are read."""

_FIELD_CHARACTERS_MAX: Final = 16_384
_ADDRESS_CHARACTERS_MAX: Final = 320
_LOCAL: Final = re.compile(r"[^\s<>()\[\]\\,;:\"@\x00-\x20\x7f-\x9f]{1,64}")
# Quotes without an end reach to the end: looked for from each of them, that would take quadratic time.
_TOKEN: Final = re.compile(
    r'"(?P<quoted>(?:[^"\\]|\\.)*+)(?P<closed>"?)|<(?P<within>[^<>]*)>|(?P<mark>[,;:<>\\])|(?P<text>[^",;:<>\\]+)',
    re.DOTALL,
)
_ESCAPED: Final = re.compile(r"\\(.)")


@dataclass(frozen=True, slots=True)
class Address:
    """One address of a field; `local` keeps its case, `domain` is ASCII and in lower case."""

    name: str
    local: str
    domain: str

    @property
    def address(self) -> str:
        """Return local part and domain."""
        return f"{self.local}@{self.domain}"


def read_addresses(value: str) -> list[Address | None]:
    """Read each address of a field, decoded already; None stands for one that cannot be told for sure.

    Such are a group, a second pair of brackets, quotes or brackets without an end, and what has no real domain. A name
    with a comma that nobody quoted belongs to the address behind it.
    """
    found: list[Address | None] = []
    draft = _Draft()
    for token in _TOKEN.finditer(drop_comments(value[:_FIELD_CHARACTERS_MAX])):
        if token["mark"] != ",":
            draft.add(token)
        elif draft.is_address:
            found.append(draft.read())
            draft = _Draft()
        if len(found) == ADDRESSES_MAX:
            return found
    return [*found, draft.read()] if draft.said else found


def read_address(name: str, address: str) -> Address | None:
    """Return an address that is fit to be used; None for any other, also for one with controls or blanks."""
    local, at, domain = address.strip().rpartition("@")
    known = ascii_domain(domain) if at and len(address) <= _ADDRESS_CHARACTERS_MAX else None
    if known is None or not _LOCAL.fullmatch(local) or clean_line(local, len(local)) != local:
        return None
    return Address(clean_line(name, NAME_CHARACTERS_MAX), local, known)


def drop_comments(value: str) -> str:
    """Return a value without its comments, which may nest and may hold anything; one without an end goes to the end."""
    if "(" not in value:
        return value
    kept: list[str] = []
    depth = 0
    quoted = escaped = False
    for character in value:
        if not depth:
            kept.append(character)
        if escaped:
            escaped = False
        elif character == "\\":
            escaped = True
        elif character == '"' and not depth:
            quoted = not quoted
        elif character == "(" and not quoted:
            kept[-1 if not depth else len(kept) :] = [" "] if not depth else []
            depth += 1
        elif character == ")" and depth:
            depth -= 1
    return "".join(kept)


class _Draft:
    """One address while its field is read."""

    def __init__(self) -> None:
        self._words: list[str] = []
        self._within: list[str] = []
        self._is_broken = False

    def add(self, token: re.Match[str]) -> None:
        if token["mark"]:
            self._is_broken = True
        elif token["within"] is not None:
            self._within.append(token["within"])
        elif token["quoted"] is not None:
            self._is_broken = self._is_broken or not token["closed"]
            self._words.append(_ESCAPED.sub(r"\1", token["quoted"]))
        else:
            self._words.append(token["text"])

    @property
    def said(self) -> str:
        return "".join([*self._words, *self._within]).strip()

    @property
    def is_address(self) -> bool:
        """Return whether what was read so far is one, whole or broken, and not the first half of a name."""
        return bool(self._within) or self._is_broken or "@" in "".join(self._words)

    def read(self) -> Address | None:
        if self._is_broken or len(self._within) > 1:
            return None
        said = "".join(self._words).strip()
        return read_address(said, self._within[0]) if self._within else read_address("", said)
