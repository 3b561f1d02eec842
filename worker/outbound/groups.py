"""Positions of consumer groups: as Redis shows them, and as PostgreSQL notes them for when Redis has lost them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from schema.keys import ASIDE_ID, again_stream
from worker.outbound.places import OutboundStream, id_of, position_of, stream_of, streams_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runtime.database import Row

NAME_CHARACTERS_MAX = 200
"""Groups with longer names, or with names that are no text, are not noted."""

_CUT_ROWS_MAX = 5_000
_ASIDE_POSITION = position_of(ASIDE_ID)


class Sighting:
    """Collects what Redis shows of the groups of all tenants' streams, and what is to be noted of it."""

    def __init__(self) -> None:
        self.epochs: dict[str, int] = {}
        self.collected: list[tuple[str, str, str, int]] = []
        """tenant, kind, channel, and up to which position every group that reads the stream has collected it."""
        self._groups: list[tuple[str, str, str, str, int, bool]] = []

    def add(self, tenant: str, streams: Sequence[OutboundStream], answer: Sequence[Any]) -> None:
        """Add what `read_collected` answers for a tenant whose streams are whole."""
        epoch, *found = answer
        self.epochs[tenant] = int(epoch)
        for stream, (first, *groups) in zip(streams, found, strict=True):
            # Nothing before the first entry can be collected any more.
            least = position_of(first.decode()) - 1 if first else 0
            standing = []
            for name, is_aside, with_it, entry_id in groups:
                position = position_of(entry_id.decode()) - (0 if with_it else 1) if entry_id else 0
                if not is_aside:
                    position = max(position, least)
                    standing.append(position)
                if (text := _notable(name)) is not None:
                    self._groups.append((tenant, stream.kind, stream.channel, text, position, bool(is_aside)))
            if standing or (first and not groups):
                self.collected.append((tenant, stream.kind, stream.channel, min(standing, default=least)))

    def statements(self) -> list[tuple[str, Mapping[str, Any]]]:
        """Return the statements that note what was seen: `note_groups`, `forget_groups` and what follows from them."""
        tenants, kinds, channels, names, positions, asides = _columns(self._groups, 6)
        groups = {"tenants": tenants, "kinds": kinds, "channels": channels, "names": names}
        epochs = {"tenants": list(self.epochs), "lives": list(self.epochs.values())}
        collected = dict(zip(("tenants", "kinds", "channels", "positions"), _columns(self.collected, 4), strict=True))
        return [
            (
                "note_groups",
                groups | {"positions": positions, "asides": asides, "lives": [self.epochs[name] for name in tenants]},
            ),
            ("forget_groups", epochs | {f"seen_{name}": column for name, column in groups.items()}),
            ("note_collected", collected),
            ("remove_cut", {"rows_max": _CUT_ROWS_MAX}),
        ]


class Standing:
    """Positions of a tenant's groups as of the last note, and how its streams are opened anew for them."""

    def __init__(self, tenant: str, noted: Sequence[Row], groups: Sequence[Row]) -> None:
        """Create it from the rows of `find_collected` and `find_groups`."""
        self._noted = {
            (row["kind"], row["channel"]): int(row["position"]) for row in noted if row["position"] < _ASIDE_POSITION
        }
        self._groups = groups
        known = streams_of(tenant)
        # A newer release may have channels that this one does not know.
        others = {stream_of({"tenant_id": tenant, **row}) for row in (*noted, *groups)} - set(known)
        self.streams = [*known, *sorted(others)]

    def collected(self, stream: OutboundStream) -> int:
        """Return up to which position nobody needs the stream: what groups set aside lack was cut, and is recorded."""
        needed = [
            max(row["position"], row["cut_position"]) if row["is_aside"] else row["position"]
            for row in self._of(stream)
        ]
        return min(needed) if needed else self._noted.get(stream[:2], 0)

    def opening(self) -> tuple[list[str], list[Any]]:
        """Return the keys and arguments of `open_streams` for the streams and their groups."""
        keys = [stream.name for stream in self.streams]
        ends: list[str] = []
        groups: list[Any] = []
        for number, stream in enumerate(self.streams, 1):
            rows = self._of(stream)
            end = max([self._noted.get(stream[:2], 0), *(max(row["position"], row["cut_position"]) for row in rows)])
            ends.append(id_of(end) if end else "")
            for row in rows:
                groups += [number, row["name"], ASIDE_ID if row["is_aside"] else id_of(row["position"])]
        for stream in self.streams:
            for row in self._of(stream):
                if row["is_aside"]:
                    keys.append(again_stream(stream.name, row["name"]))
                    ends.append("")
                    groups += [len(keys), row["name"], id_of(row["position"])]
        return keys, [*ends, ASIDE_ID, *groups]

    def _of(self, stream: OutboundStream) -> list[Row]:
        return [row for row in self._groups if (row["kind"], row["channel"]) == stream[:2]]


def _notable(name: bytes) -> str | None:
    try:
        text = name.decode()
    except UnicodeDecodeError:
        return None
    return text if 0 < len(text) <= NAME_CHARACTERS_MAX and "\0" not in text else None


def _columns(rows: Sequence[tuple[Any, ...]], width: int) -> list[list[Any]]:
    return [[row[column] for row in rows] for column in range(width)]
