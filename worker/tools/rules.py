"""Decide what may be done to a booking: plain functions over plain data; time comes in as an argument.

The rules are the airline's conditions; the agents' prompts repeat some of them for the conversation's sake, but what
holds is decided here.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from worker.tools.backend import Passenger, Reservation, SeatTaken, Segment

SeatKind = Literal["window", "aisle", "middle"]
SeatPreference = Literal["window", "aisle", "middle", "any"]

ROWS = range(1, 31)
PREMIUM_ROWS = range(1, 6)
PREMIUM_PRICE_USD = 35
SEAT_KINDS: dict[str, SeatKind] = {
    "A": "window", "B": "middle", "C": "aisle", "D": "aisle", "E": "middle", "F": "window"
}  # fmt: skip
SEATS_OFFERED_MAX = 6
PREMIUM_SEATS_OFFERED = 2
OPEN_STATUSES = frozenset({"available", "on_time", "delayed"})

_SEAT = re.compile(r"0?([1-9]|[12][0-9]|30)([A-F])")
_SEAT_IN_TEXT = re.compile(r"\b0?([1-9]|[12][0-9]|30)\s?-?([a-f])\b", re.IGNORECASE)
_CONFIRMATION_NUMBER = re.compile(r"[A-Z0-9]{6}")


@dataclass(frozen=True, slots=True)
class Refusal:
    """Say no: a code for programs, a sentence for the customer. `counts`: the policy refuses, or the facts do.

    The others only say that a step comes first, and are no reason to call a human.
    """

    code: str
    message: str
    counts: bool = True


@dataclass(frozen=True, slots=True)
class Seat:
    """Hold one place on the map; the same on every aircraft of the fleet."""

    number: str
    row: int
    kind: SeatKind

    @property
    def is_premium(self) -> bool:
        """Say whether it is in the rows that cost extra."""
        return self.row in PREMIUM_ROWS

    @property
    def price_usd(self) -> int:
        """Give what the seat costs on top of the fare."""
        return PREMIUM_PRICE_USD if self.is_premium else 0


SEAT_MAP: tuple[Seat, ...] = tuple(
    Seat(f"{row}{letter}", row, kind) for row in ROWS for letter, kind in SEAT_KINDS.items()
)
_SEATS = {seat.number: seat for seat in SEAT_MAP}


def read_seat(text: str) -> Seat | None:
    """Read a seat number as customers write it (`12a`, `12 A`, `07C`); None when it is not on the map."""
    match = _SEAT.fullmatch(re.sub(r"[\s-]", "", text).upper())
    return _SEATS[match[1] + match[2]] if match else None


def read_confirmation_number(text: str) -> str | None:
    """Read a confirmation number as customers write it (`abc-123`, `a b c 1 2 3`); None when it is not one."""
    compact = re.sub(r"[^A-Za-z0-9]", "", text).upper()
    return compact if _CONFIRMATION_NUMBER.fullmatch(compact) else None


def due_for(seat: Seat, current: SeatTaken | None) -> int:
    """Give what a passenger pays to sit there: what the seat costs beyond what was paid for the present one.

    Nothing is paid back for a cheaper seat.
    """
    return max(0, seat.price_usd - (current.price_usd if current else 0))


def choose_seats(taken: Iterable[str], preference: SeatPreference) -> list[Seat]:
    """Choose which free seats to offer: at most `SEATS_OFFERED_MAX`, those without a charge first, front to back.

    A couple of premium ones are among them while there are any: a customer who would pay for one should hear of it.
    """
    gone = frozenset(taken)
    free = [seat for seat in SEAT_MAP if seat.number not in gone and preference in {"any", seat.kind}]
    standard = [seat for seat in free if not seat.is_premium]
    premium = [seat for seat in free if seat.is_premium]
    kept_for_premium = min(PREMIUM_SEATS_OFFERED, len(premium))
    offered = standard[: SEATS_OFFERED_MAX - kept_for_premium]
    return offered + premium[: SEATS_OFFERED_MAX - len(offered)]


def find_passenger(reservation: Reservation, name: str) -> Passenger | None:
    """Find who travels under that name: a surname, or a whole name that ends in it; None when nobody does.

    Accents, case, hyphens and spaces do not count: customers type names as their keyboards let them. Of several with
    that surname, the one whose given name stands in `name` too, else the first.
    """
    said = _letters(_TITLE.sub("", name))
    if not said:
        return None
    by_surname = [p for p in reservation.passengers if said == _letters(p.surname)]
    by_name = [p for p in reservation.passengers if _is_whole_name(said, _letters(p.given_name), _letters(p.surname))]
    fitting = by_name or by_surname
    return fitting[0] if fitting else None


_TITLE = re.compile(r"^\s*(mr|mrs|ms|miss|mx|dr|prof)\b\.?", re.IGNORECASE)


def _is_whole_name(said: str, given_name: str, surname: str) -> bool:
    # Both ends must fit: a surname that merely ends the name ("Lee" in "Ashlee") opens nothing.
    return said == surname + given_name or (
        said.startswith(given_name) and said.endswith(surname) and len(said) >= len(given_name + surname)
    )


def find_segment(reservation: Reservation, flight_number: str, now: datetime) -> Segment | Refusal:
    """Find the flight that a wish is about: the one named, else the next one that has not left.

    Refuses a flight that is not part of the reservation.
    """
    wanted = re.sub(r"[^A-Z0-9]", "", flight_number.upper())
    segments = [s for s in reservation.segments if not wanted or s.flight_number == wanted]
    if not segments:
        flights = ", ".join(segment.flight_number for segment in reservation.segments)
        return Refusal("no_such_flight", f"That flight is not part of this booking. The booking has {flights}.")
    ahead = [segment for segment in segments if check_open(reservation, segment, now) is None]
    return (ahead or segments)[0]


def check_open(reservation: Reservation, segment: Segment, now: datetime) -> Refusal | None:
    """Say why the seats of a flight can no longer be changed; None when they can. `now` is aware."""
    flight = f"Flight {segment.flight_number} on {segment.flight_date.isoformat()}"
    if reservation.status == "cancelled":
        return Refusal("reservation_cancelled", "This booking has been cancelled, so its seats cannot be changed.")
    if segment.status == "cancelled":
        return Refusal("flight_cancelled", f"{flight} has been cancelled, so its seats cannot be changed.")
    if segment.status not in OPEN_STATUSES or segment.departs_at <= now:
        return Refusal("flight_departed", f"{flight} has already departed, so its seats cannot be changed.")
    return None


def check_seat(seat_number: str, taken: Iterable[str], current: SeatTaken | None) -> Seat | Refusal:
    """Say whether a passenger may have this seat: on the map, nobody's, and another than the present one."""
    seat = read_seat(seat_number)
    if seat is None:
        return Refusal("no_such_seat", f"There is no seat {seat_number[:8]}. Seats run from 1A to 30F.")
    if current is not None and current.seat_number == seat.number:
        return Refusal("already_yours", f"Seat {seat.number} is already assigned to this passenger.", counts=False)
    if seat.number in frozenset(taken):
        return Refusal("seat_taken", f"Seat {seat.number} is already taken. Would you like another seat?")
    return seat


def is_a_yes(text: str, seat_number: str) -> bool:
    """Say whether a customer's message agrees to the seat that was offered.

    Errs on the side of asking again: a message that also declines, doubts, asks for something else or names another
    seat is no yes, and neither is a question, unless it opens with one ("yes, could you?").
    """
    said = re.sub(r"\bno (problem|worries|rush)\b", " ", text.lower().replace("’", "'"))
    named = {f"{row}{letter.upper()}" for row, letter in _SEAT_IN_TEXT.findall(said)}
    if set(_words(said)) & _DECLINES or _DECLINING.search(said) or named - {seat_number}:
        return False
    for sentence in re.findall(r"[^.!?\n]+[.!?\n]?", said):
        words = _words(sentence)
        if sentence.endswith("?") and not (words and words[0] in _OPENS_WITH_YES):
            continue
        if set(words) & _AGREES or _AGREEING.search(sentence):
            return True
    return bool(named) and len(_words(said)) <= _BARE_SEAT_WORDS_MAX


_BARE_SEAT_WORDS_MAX = 2  # "12A", "12A please": repeating the seat offered is a yes
_OPENS_WITH_YES = frozenset({"yes", "y", "yep", "yeah", "yup", "sure", "absolutely", "definitely"})
_AGREES = _OPENS_WITH_YES | frozenset({
    "yea", "yess", "ya", "ok", "okay", "okey", "k", "alright", "fine", "perfect", "great", "confirm", "confirmed",
    "correct", "agreed", "agree", "certainly", "proceed", "accept", "accepted", "👍", "👌", "✅",
})  # fmt: skip
_AGREEING = re.compile(
    r"\b(go for it|(do|book|take|confirm) (it|that|so)|please do|(sounds|looks) good|works for me|of course|why not|"
    r"(make|please) (the |that )?change( it)?|that's (right|good))\s*([.!,]|$)|\bgo ahead\b|^\W*please\W*$"
)
_DECLINES = frozenset({
    "no", "nope", "nah", "not", "don't", "dont", "doesn't", "didn't", "can't", "cannot", "won't", "wait", "hold",
    "stop", "cancel", "instead", "rather", "different", "other", "another", "nevermind", "never", "actually", "unless",
    "unsure", "maybe", "but",
})  # fmt: skip
_DECLINING = re.compile(r"\b(too (much|expensive)|think about|let me|hang on)\b")


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z']+|👍|👌|✅", text)


def _letters(name: str) -> str:
    decomposed = unicodedata.normalize("NFKD", name.casefold())
    return "".join(character for character in decomposed if character.isalpha())
