"""Find in a migration what workers of the release before could not live with, by the text of its SQL.

Two kinds. What takes something away (it contracts) needs a header that says since when nobody needs it:
`-- Contracts: nobody calls it with seven arguments since 0.3.` What asks more of a row than before, of a table that
there was, needs one that says why rows written and read by the release before are as it asks: `-- Expands only: …`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

_TOKEN: Final = re.compile(
    r"""--[^\n]* | /\*.*?\*/ | '(?:[^']|'')*' | (?P<quote>\$\w*\$)(?P<body>.*?)(?P=quote) | ; | [^-/'$;]+ | .""",
    re.DOTALL | re.VERBOSE,
)
_CREATED: Final = re.compile(r"\bCREATE TABLE (?:IF NOT EXISTS )?(\w+)", re.IGNORECASE)
_TABLE: Final = re.compile(
    r"\b(?:ALTER TABLE|DROP TABLE|DELETE FROM|TRUNCATE(?: TABLE)?|UNIQUE INDEX .*? ON|TRIGGER .*? ON|POLICY \w+ ON)"
    r" (?:IF EXISTS |ONLY )*([\w%]+)",
    re.IGNORECASE,
)

_CONSTRAINT: Final = r"(?:CONSTRAINT|CHECK|UNIQUE|PRIMARY KEY|FOREIGN KEY|EXCLUDE)\b"
_TAKES_AWAY: Final = (
    r"\bDROP (?!NOT NULL)",
    r"\bRENAME\b",
    r"\bALTER (?:COLUMN )?\w+ (?:SET DATA )?TYPE\b",
    r"\bALTER TYPE\b(?!.* ADD VALUE\b)",
    r"\bSET NOT NULL\b",
    rf"\bADD (?!{_CONSTRAINT})(?!.*\b(?:DEFAULT|GENERATED|SERIAL|BIGSERIAL)\b).*\bNOT NULL\b",
    r"\bSET SCHEMA\b",
    r"\bREVOKE\b",
    r"\bTRUNCATE\b",
    r"\bDELETE FROM\b",
)
_ASKS_MORE: Final = (
    rf"\bADD {_CONSTRAINT}",
    r"\bADD .*\b(?:UNIQUE|PRIMARY KEY)\b",
    r"\bCREATE UNIQUE INDEX\b",
    r"\bDROP NOT NULL\b",  # of whoever reads
    r"\bCREATE (?:OR REPLACE )?(?:CONSTRAINT )?TRIGGER\b",
    r"\b(?:ENABLE|FORCE) ROW LEVEL SECURITY\b",
    r"\bCREATE POLICY\b",
)


class Breach(NamedTuple):
    """Hold a clause that is not safe beside the release before, and the word by which a header would answer for it."""

    clause: str
    answer: str


_ANSWERS: Final = {
    "Contracts": re.compile(r"\bContracts: .*\bsince \S"),
    "Expands only": re.compile(r"\bExpands only: \S"),
}


def unanswered(sql: str, header: str) -> list[Breach]:
    """List what in a migration is not safe beside the release before, and for which its header does not answer."""
    text = " ".join(header.split())
    return [breach for breach in find_breaches(sql) if not _ANSWERS[breach.answer].search(text)]


def find_breaches(sql: str) -> list[Breach]:
    """List what in a migration is not safe beside the release before, which knows no table that it has made itself."""
    made: set[str] = set()
    found = []
    for statement in _statements(sql):
        made.update(name.lower() for name in _CREATED.findall(statement))
        table = _TABLE.search(statement)
        name = table[1].lower() if table else ""
        if name in made:
            continue
        kinds: dict[str, tuple[str, ...]] = {"Contracts": _TAKES_AWAY}
        if not name.startswith("%"):  # a loop over names, which are those of tables just made
            kinds["Expands only"] = _ASKS_MORE
        found += [
            Breach(clause, answer)
            for clause in _clauses(statement)
            for answer, patterns in kinds.items()
            if any(re.search(pattern, clause, re.IGNORECASE) for pattern in patterns)
        ]
    return found


def _statements(sql: str, *, in_block: bool = False) -> Iterator[str]:
    """Give each statement on one line, without comments and without the bodies of functions, which run later.

    A DO block runs now: its statements are given too, and what stands in quotes there, for it may be executed.
    """
    written: list[str] = []
    for token in _TOKEN.finditer(sql):
        text = token[0]
        if text.startswith(("--", "/*")):
            continue
        if text == ";":
            yield from _one(written)
            written = []
        elif token["body"] is not None:
            is_block = "".join(written).strip().upper().startswith("DO")
            if is_block or in_block:
                yield from _statements(token["body"], in_block=True)
            written.append("''")
        elif text.startswith("'"):
            if in_block:
                yield from _statements(text[1:-1].replace("''", "'"))
            written.append("''")
        else:
            written.append(text)
    yield from _one(written)


def _one(written: list[str]) -> Iterator[str]:
    statement = " ".join("".join(written).replace('"', "").split())
    if statement:
        yield statement


def _clauses(statement: str) -> Iterator[str]:
    """Cut a statement at its outer commas: an ALTER TABLE does several things."""
    depth, start = 0, 0
    for at, character in enumerate(statement):
        depth += (character == "(") - (character == ")")
        if character == "," and depth == 0:
            yield statement[start:at].strip()
            start = at + 1
    yield statement[start:].strip()
