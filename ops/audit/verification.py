"""Verify an audit chain: find the first entry that was cut out, changed, added or moved."""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Final

from schema.errors import FteError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from runtime.database import Database, Row

PAGE_ENTRIES: Final = 2_000
FIRST_PRIOR: Final = bytes(32)
"""What the first entry's prior hash is."""

ERASING: Final = frozenset({"conversation.erased", "person.erased"})
"""Operations that erase the details of other entries."""

_ANCHOR: Final = re.compile(r"(?P<number>[0-9]{1,18}):(?P<hash>[0-9a-f]{64})")
_DOMAIN: Final = "fte audit 1"


class AnchorInvalid(FteError):
    """An anchor that is not of the form NUMBER:HASH."""

    def __init__(self, text: str) -> None:
        super().__init__(
            f"anchor {text[:100]!r}: give NUMBER:HASH as `fte audit verify` prints it, 64 hex digits of hash"
        )


@dataclass(frozen=True, slots=True)
class Anchor:
    """An entry's number and hash, noted where whoever owns the database cannot change it."""

    number: int
    hash: str

    def __str__(self) -> str:
        """Write it as `read_anchor` reads it."""
        return f"{self.number}:{self.hash}"


@dataclass(frozen=True, slots=True)
class ChainReport:
    """What verifying one chain found."""

    tenant: str
    entries: int
    """Entries looked at."""
    erased: int
    """Of those, entries whose object and reason were erased, on record."""
    anchor: Anchor
    """The newest entry that was found good; note it elsewhere."""
    broken_at: int | None = None
    """The number of the first entry that is not as it was written; None: none."""
    problem: str = ""

    @property
    def is_whole(self) -> bool:
        """Return whether nothing was cut out, changed, added or moved."""
        return self.broken_at is None


def read_anchor(text: str) -> Anchor:
    """Read `NUMBER:HASH`; raises AnchorInvalid."""
    found = _ANCHOR.fullmatch(text.strip())
    if found is None:
        raise AnchorInvalid(text)
    return Anchor(int(found["number"]), found["hash"])


async def verify_chain(database: Database, tenant: str, *, anchors: tuple[Anchor, ...] = ()) -> ChainReport:
    """Verify a tenant's chain from its first entry to its head, a page at a time.

    `anchors`: entries as they were noted before; without one, whoever may rewrite the whole log with its head is not
    found out. What is appended meanwhile is not looked at.
    """
    entries, head = await _read_head(database, tenant)
    walk = _Walk(tenant, {anchor.number: anchor.hash for anchor in anchors})
    async for row in read_entries(database, tenant):
        if entries and row["number"] > entries:
            break
        problem = walk.problem_of(row)
        if problem:
            return walk.report(min(row["number"], walk.last + 1), problem)
    broken_at, problem = walk.end_at(entries, head)
    if not problem:
        unknown = walk.erasers - {row["number"] for row in await _read_later(database, tenant, walk, entries)}
        if unknown:
            broken_at, problem = min(unknown), "it is named as an erasure of earlier entries, and is none"
    return walk.report(broken_at, problem)


async def _read_head(database: Database, tenant: str) -> tuple[int, bytes]:
    heads = await database.read(tenant, "read_audit_heads", tenant=tenant)
    return (int(heads[0]["entries"]), bytes(heads[0]["head_hash"])) if heads else (0, FIRST_PRIOR)


async def _read_later(database: Database, tenant: str, walk: _Walk, entries: int) -> list[Row]:
    """Read the erasures that were appended while the chain was read, if any is named."""
    if not walk.erasers:
        return []
    page = {"tenant": tenant, "after_number": entries, "entries_max": PAGE_ENTRIES}
    return [row for row in await database.read(tenant, "read_audit_entries", **page) if row["operation"] in ERASING]


async def read_entries(database: Database, tenant: str) -> AsyncIterator[Row]:
    """Yield a chain's entries with their details, oldest first; a page is in memory at a time."""
    after = 0
    while True:
        rows = await database.read(
            tenant, "read_audit_entries", tenant=tenant, after_number=after, entries_max=PAGE_ENTRIES
        )
        for row in rows:
            yield row
        if len(rows) < PAGE_ENTRIES:
            return
        after = rows[-1]["number"]


class _Walk:
    """The way along one chain: which entry was last, and what its hash is."""

    def __init__(self, tenant: str, anchors: dict[int, str]) -> None:
        self.last, self.hash, self.erased = 0, FIRST_PRIOR, 0
        self.erasers: set[int] = set()
        """Entries that earlier ones name as their erasure, and that were not come to yet."""
        self._tenant = tenant
        self._anchors = anchors

    def problem_of(self, row: Row) -> str:
        """Say what is wrong with the next entry, in a few words; nothing where all is right."""
        problem = next(filter(None, (check(row) for check in self._checks())), "")
        if not problem:
            self.last, self.hash = row["number"], bytes(row["hash"])
            if row["operation"] in ERASING:
                self.erasers.discard(row["number"])
        return problem

    def end_at(self, entries: int, head: bytes) -> tuple[int | None, str]:
        """Compare the end with what the chain's head says; return which entry is not right, and why not."""
        if self.last > entries:
            return self.last, "the head of the chain is missing"
        if self.last < entries:
            return self.last + 1, f"entries {self.last + 1} to {entries} are missing"
        if self.hash != head:
            return entries, "the head of the chain is another"
        beyond = [number for number in self._anchors if number > entries]
        if beyond:
            return entries + 1, f"the anchor is of entry {min(beyond)}, and the chain ends at {entries}"
        return None, ""

    def report(self, broken_at: int | None, problem: str) -> ChainReport:
        """Return what was found up to here."""
        anchor = Anchor(self.last, self.hash.hex())
        return ChainReport(self._tenant, self.last, self.erased, anchor, broken_at, problem)

    def _checks(self) -> tuple[Callable[[Row], str], ...]:
        return (self._number, self._link, self._content, self._detail, self._anchored)

    def _number(self, row: Row) -> str:
        return "" if row["number"] == self.last + 1 else f"entry {self.last + 1} is missing"

    def _link(self, row: Row) -> str:
        return "" if hmac.compare_digest(row["prior_hash"], self.hash) else "it does not follow the entry before it"

    def _content(self, row: Row) -> str:
        is_same = hmac.compare_digest(row["hash"], hash_of(self._tenant, row))
        return "" if is_same else "it was changed"

    def _detail(self, row: Row) -> str:
        if row["detail_number"] is None:
            return "its object and reason are missing"
        if row["salt"] is None:
            self.erased += 1
            self.erasers.add(row["erased_by"])
            return "" if row["erased_by"] > row["number"] else "its object and reason were erased without a record"
        written = hashlib.sha256(row["salt"] + _fields(row["object"], row["conversation_id"], row["reason"])).digest()
        return "" if hmac.compare_digest(row["detail_hash"], written) else "its object or reason was changed"

    def _anchored(self, row: Row) -> str:
        noted = self._anchors.get(row["number"])
        return "" if noted in {None, row["hash"].hex()} else "it is not the entry that the anchor notes"


def hash_of(tenant: str, row: Row) -> bytes:
    """Return the hash that an entry must have."""
    hashes = (row["before_hash"], row["after_hash"], row["detail_hash"], row["prior_hash"])
    return hashlib.sha256(
        _fields(
            _DOMAIN,
            tenant,
            str(row["number"]),
            row["at"].astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
            row["actor"],
            row["role"],
            row["address"],
            row["operation"],
            row["object_kind"],
            *(None if one is None else one.hex() for one in hashes),
        )
    ).digest()


def _fields(*fields: str | None) -> bytes:
    """Join fields so that no two lists give the same bytes: each behind its length in bytes, None as a dash."""
    encoded = [None if field is None else field.encode() for field in fields]
    return b"".join([b"-," if field is None else b"%d:%b," % (len(field), field) for field in encoded])
