"""Decide who a customer is: the confirmation number and the surname."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from worker.domains.airline.rules.names import letters_of

if TYPE_CHECKING:
    from collections.abc import Iterable

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


def is_name_said(name: str, texts: Iterable[str]) -> bool:
    """Check whether each word of a name stands in one of the texts, whatever its accents, case, hyphens and spaces.

    A name that a model made up, or took from somewhere else than the customer's words, proves nothing.
    """
    words = [letters for word in _TITLE.sub("", name).split() if (letters := letters_of(word))]
    said = list(texts)
    return bool(words) and all(any(_stands_in(word, text) for text in said) for word in words)


_SHORT = 3


def _stands_in(word: str, text: str) -> bool:
    """Check whether a name's word stands in a text; a short one as a word of its own, since many words hold it."""
    if word.isascii() and len(word) <= _SHORT:
        return word in {letters_of(one) for one in re.findall(r"[^\W\d_]+", text)}
    return word in letters_of(text)


def is_number_said(confirmation_number: str, texts: Iterable[str]) -> bool:
    """Check whether a confirmation number stands in one of the texts, whatever stands between its characters."""
    number = re.sub(r"[^A-Z0-9]", "", confirmation_number.upper())
    return bool(number) and any(number in re.sub(r"[^A-Z0-9]", "", text.upper()) for text in texts)


def find_speaker(reservation: Reservation) -> Passenger:
    """Find who of the passengers writes from the address on file: whoever booked, else the first of them."""
    customer = reservation.customer
    return find_passenger(reservation, f"{customer.given_name} {customer.surname}") or reservation.passengers[0]


def _is_whole_name(said: str, given_name: str, surname: str) -> bool:
    # Both ends must fit: a surname that merely ends the name ("Lee" in "Ashlee") opens nothing.
    return said == surname + given_name or (
        said.startswith(given_name) and said.endswith(surname) and len(said) >= len(given_name + surname)
    )
