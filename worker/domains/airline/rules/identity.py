"""Decide who a customer is: the confirmation number and the surname."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from worker.domains.airline.rules.names import letters_of

if TYPE_CHECKING:
    from worker.domains.airline.records.backend import Passenger, Reservation

_CONFIRMATION_NUMBER = re.compile(r"[A-Z0-9]{6}")
_LOOKS_LIKE_ONE = re.compile(r"\b(?=[A-Z0-9]*[0-9])(?=[A-Z0-9]*[A-Z])(?![A-Z]{2}[0-9]{4}\b)[A-Z0-9]{6}\b")
_TITLE = re.compile(r"^\s*(mr|mrs|ms|miss|mx|dr|prof)\b\.?", re.IGNORECASE)


def read_confirmation_number(text: str) -> str | None:
    """Read a confirmation number as customers write it (`abc-123`, `a b c 1 2 3`); None when it is not one."""
    compact = re.sub(r"[^A-Za-z0-9]", "", text).upper()
    return compact if _CONFIRMATION_NUMBER.fullmatch(compact) else None


def find_confirmation_numbers(text: str) -> frozenset[str]:
    """Find what can only be a confirmation number: six capitals and digits mixed, and no flight's (`LF1234`)."""
    return frozenset(_LOOKS_LIKE_ONE.findall(text))


def find_passenger(reservation: Reservation, name: str) -> Passenger | None:
    """Find who travels under that name: a surname, or a whole name that ends in it; None when nobody does.

    Accents, case, hyphens and spaces do not count: customers type names as their keyboards let them. Of several with
    that surname, the one whose given name stands in `name` too, else the first.
    """
    said = letters_of(_TITLE.sub("", name))
    if not said:
        return None
    by_surname = [p for p in reservation.passengers if said == letters_of(p.surname)]
    by_name = [
        p for p in reservation.passengers if _is_whole_name(said, letters_of(p.given_name), letters_of(p.surname))
    ]
    fitting = by_name or by_surname
    return fitting[0] if fitting else None


def find_speaker(reservation: Reservation) -> Passenger:
    """Find who of the passengers writes from the address on file: whoever booked, else the first of them."""
    customer = reservation.customer
    return find_passenger(reservation, f"{customer.given_name} {customer.surname}") or reservation.passengers[0]


def _is_whole_name(said: str, given_name: str, surname: str) -> bool:
    # Both ends must fit: a surname that merely ends the name ("Lee" in "Ashlee") opens nothing.
    return said == surname + given_name or (
        said.startswith(given_name) and said.endswith(surname) and len(said) >= len(given_name + surname)
    )
