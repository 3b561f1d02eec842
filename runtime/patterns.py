"""Load word lists and patterns from text files, where each alternative has a line of its own.

A file has sections. `[name]` holds regular expressions, one alternative a line or several between ` | `. `[name*]`
holds words between blanks, `_` for a blank inside one, each with its plural unless it ends in a word of one or two
letters; a `+` behind a verb stands for its other forms. `{name}` stands for an earlier section. `# ` begins a comment
line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
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
    found: dict[str, str] = {}
    for name, of_words, lines in _sections(package, file):
        if of_words:
            found[name] = _join_words(_words(lines))
        else:
            found[name] = _join([one for line in lines for one in line.split(" | ")], found)
    return MappingProxyType(found)


@cache
def load_words(package: str, file: str) -> Mapping[str, tuple[str, ...]]:
    """Return the words of each section of words, with their plurals and the forms of those marked as verbs.

    Plurals are made of every word of three letters or more with `s` and with `es`, whether English has them or not.
    Raises ValueError for a line outside a section.
    """
    return MappingProxyType(
        {
            name: tuple(form for word in _words(lines) for form in _forms(word))
            for name, of_words, lines in _sections(package, file)
            if of_words
        }
    )


def _sections(package: str, file: str) -> Iterator[tuple[str, bool, list[str]]]:
    """Return the name of each section, whether it is one of words, and its lines."""
    written = resources.files(package).joinpath(file).read_text(encoding="utf-8")
    name, of_words = "", False
    lines: list[str] = []
    for number, line in enumerate([*written.splitlines(), "[end]"], start=1):
        header = _HEADER.fullmatch(line)
        if header is not None:
            if name:
                yield name, of_words, lines
            name, of_words, lines = header["name"], bool(header["words"]), []
        elif line and not line.startswith("# "):
            if not name:
                raise ValueError(f"{file}:{number}: stands before the first section")
            lines.append(line)


def _words(lines: list[str]) -> list[str]:
    return [word.replace("_", " ") for line in lines for word in line.split()]


def _forms(word: str) -> Iterator[str]:
    stem = word.removesuffix("+")
    yield from (stem, f"{stem}s", f"{stem}es") if _has_plural(stem) else (stem,)
    if stem == word:
        return
    bases = {stem.removesuffix("e"), *([stem + stem[-1]] if _DOUBLING.search(stem) else [])}
    yield from (base + ending for base in bases for ending in ("ed", "er", "ers", "ing"))
    if stem.endswith("y"):
        yield from (f"{stem[:-1]}ies", f"{stem[:-1]}ied")


def _has_plural(word: str) -> bool:
    """Check whether a word is long enough for a plural; those of "u", "i" and "to" would be "us", "is" and "toes"."""
    return len(word.rsplit(maxsplit=1)[-1]) >= _PLURAL_LETTERS_MIN


_PLURAL_LETTERS_MIN = 3
_DOUBLING = re.compile(r"[^aeiou][aeiou][bdgklmnprt]$")
"""Matches a verb whose last letter doubles: "stab", "stabbed"."""


def _join_words(words: list[str]) -> str:
    """Build one group of words, with one plural for all that have one.

    A regular expression that repeats it for each word takes twice as long to compile, and sections are built into many
    others.
    """
    forms = [form for word in words for form in (_forms(word) if word.endswith("+") else (word,))]
    long = [re.escape(form) for form in forms if _has_plural(form)]
    short = [re.escape(form) for form in forms if not _has_plural(form)]
    return _join([*([f"{_join(long, {})}(?:e?s)?"] if long else []), *short], {})


def _join(alternatives: list[str], known: Mapping[str, str]) -> str:
    # Longest first, so that of two alternatives that both fit, the fuller one is taken.
    ordered = sorted(alternatives, key=len, reverse=True)
    return "(?:" + "|".join(_REFERENCE.sub(lambda match: known[match[1]], one) for one in ordered) + ")"
