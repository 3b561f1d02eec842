"""Tell the way out of a booking from the way back, and which of them a message means."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import Any

from worker.domains.airline.local.reading.slots import find_flight_number

Segment = dict[str, Any]

_RETURN = re.compile(
    r"\b(?:return|way (?:back|home)|inbound|(?:flight|trip|journey|leg) (?:back|home)|"
    r"(?:com|fly|go|travel|get|head)\w* (?:me |us )?(?:back|home)|"
    r"second (?:leg|flight))\b",
    re.IGNORECASE,
)
_OUTBOUND = re.compile(
    r"\b(?:outbound|way (?:out|there)|outgoing|(?:flight|trip) out|first (?:leg|flight))\b", re.IGNORECASE
)


def journeys_of(reservation: dict[str, Any]) -> list[list[Segment]]:
    """Return there and back apart: a round trip turns where it stays longest."""
    segments = [segment for segment in reservation.get("segments", []) if isinstance(segment, dict)]
    if reservation.get("trip_type") != "round_trip" or len(segments) < 2:  # noqa: PLR2004 - there, and back
        return [segments] if segments else []
    days = [date.fromisoformat(str(segment.get("date"))) for segment in segments]
    stays = [days[place] - days[place - 1] for place in range(1, len(days))]
    turn = 1 + stays.index(max(stays))
    return [segments[:turn], segments[turn:]]


_SECOND_PART = re.compile(r"\b(?:second|last|other|connecting|next) (?:one|flight|leg|part)\b", re.IGNORECASE)
_FIRST_PART = re.compile(r"\bfirst (?:one|flight|leg|part)\b", re.IGNORECASE)


def _part_meant(journeys: Sequence[list[Segment]], text: str) -> list[Segment] | None:
    """Return which of two flights that follow each other a message means."""
    if len(journeys) != 1 or len(journeys[0]) != 2:  # noqa: PLR2004 - one stop
        return None
    if _SECOND_PART.search(text):
        return journeys[0][1:]
    return journeys[0][:1] if _FIRST_PART.search(text) else None


def leg_meant(journeys: Sequence[list[Segment]], text: str) -> list[Segment] | None:
    """Return the way that a message names: by its flight, its airports, or as the way out or back; None for none."""
    number = find_flight_number(text)
    codes = set(re.findall(r"\b[A-Z]{3}\b", text))
    for journey in journeys:
        if number in {segment.get("flight_number") for segment in journey}:
            return journey
        if {journey[0].get("origin"), journey[-1].get("destination")} <= codes:
            return journey
    if len(journeys) < 2:  # noqa: PLR2004 - there, and back
        return _part_meant(journeys, text)
    if _RETURN.search(text):
        return journeys[-1]
    return journeys[0] if _OUTBOUND.search(text) else None
