"""Pick the details out of what a customer writes: name, confirmation number, flight, seat, preference, yes and no."""

from __future__ import annotations

import re
from functools import cache
from typing import Literal, NamedTuple

from runtime.patterns import load_patterns
from worker.conversation.vault import find_placeholders

Preference = Literal["window", "aisle", "middle"]

_FLIGHT = re.compile(r"\b([A-Z]{2,3}) ?(\d{2,4})\b")
_SEAT = re.compile(r"\b(30|[12]\d|0?[1-9])(?:([A-Fa-f])| ([A-F]))\b")
_PREFERENCE = re.compile(r"\b(window|aisle|middle)\b", re.IGNORECASE)
_UNWANTED = re.compile(
    r"\b(?:not|no|don'?t|instead of|rather than|from|hate|without|never)\b(?:(?!\b(?:but|to)\b)[^.,;!?]){0,20}$",
    re.IGNORECASE,
)


def find_confirmation_number(text: str) -> str | None:
    """Give the last placeholder of a confirmation number; the number itself is never in sight."""
    found = [one.written for one in find_placeholders(text, "CONFIRMATION_NUMBER") if one.number is not None]
    return found[-1] if found else None


def find_flight_number(text: str) -> str | None:
    """Give the last flight number, as `LF 1042` or `LF1042`, in its short form."""
    found = [f"{airline}{number}" for airline, number in _FLIGHT.findall(text)]
    return found[-1] if found else None


def find_seat(text: str) -> str | None:
    """Give the last seat that is not turned down, as 12A."""
    seats = [match for match in _SEAT.finditer(text) if not _UNWANTED.search(text[: match.start()])]
    return f"{int(seats[-1][1])}{(seats[-1][2] or seats[-1][3]).upper()}" if seats else None


def find_preference(text: str) -> Preference | None:
    """Give the last kind of seat that is not turned down."""
    for match in reversed(list(_PREFERENCE.finditer(text))):
        if not _UNWANTED.search(text[: match.start()]):
            kind = match[1].lower()
            return "window" if kind == "window" else "aisle" if kind == "aisle" else "middle"
    return None


@cache
def _no() -> re.Pattern[str]:
    known = load_patterns("worker.domains.airline.local.reading", "slots.patterns")
    return re.compile(rf"^(?:{known['before_no']}\W+)*{known['no']}", re.IGNORECASE)


def declines(text: str) -> bool:
    """Say whether a message begins with a no."""
    return _no().match(" ".join(text.replace("\u2019", "'").split())) is not None


_LETTERS = r"A-Za-z\u00c0-\u024f"
_NAME_WORD = rf"[{_LETTERS}][{_LETTERS}'.\-]*"
_CAPITALISED = rf"[A-Z\u00c0-\u00de][{_LETTERS}'.\-]*"
_NAME = rf"(?P<name>{_NAME_WORD}(?: {_NAME_WORD}){{0,3}})"
_STATED = tuple(
    re.compile(pattern, flags)
    for pattern, flags in (
        (rf"\b(?:last|sur|family) ?name(?: on the \w+)?(?: is|'s|:| -|,)*\s+{_NAME}", re.IGNORECASE),
        (
            rf"\b(?:my |full |first |passenger'?s? |the |her |his )*name(?: on the \w+)?(?: is|'s|:| -|,)?\s+{_NAME}",
            re.IGNORECASE,
        ),
        (
            rf"\b(?:booked|booking|reservation|it'?s|its|is)(?: is)? (?:under|in the name of)(?: the name)?\s+{_NAME}",
            re.IGNORECASE,
        ),
        (
            (
                rf"\b(?:it'?s|its|this is|it is|i'?m|i am|here is|for|under|passenger)\s+{_NAME}"
                r"(?=\W*(?:and |, ?|with )?(?:my )?(?:confirmation|code|booking|pnr|\[CONF))"
            ),
            re.IGNORECASE,
        ),
        (rf"\b(?:[Ii]'?m|[Ii] am|[Tt]his is|[Ii]t'?s)\s+(?P<name>{_CAPITALISED}(?: {_CAPITALISED}){{0,3}})", 0),
    )
)
_BESIDE_CODE = re.compile(
    rf"(?:^|[.,;:?!\n]|\b(?:it'?s|its|and|sure|yes|hi|hello|hey|ok|okay|thanks)\b)\W*{_NAME}[\s,;:/-]+"
    r"(?:and\s+)?\[CONFIRMATION_NUMBER_\d+\]",
    re.IGNORECASE,
)
_AFTER_CODE = re.compile(rf"\[CONFIRMATION_NUMBER_\d+\][\s,;:/-]+(?:and\s+)?{_NAME}\W*$", re.IGNORECASE)
_ALONE = re.compile(
    rf"^\W*(?:(?:hi|hello|sure|yes|ok|okay|it'?s|its)\W+)*{_NAME}(?:, ?{_NAME_WORD})?\W*$", re.IGNORECASE
)
_NO_NAMES = frozenset(
    re.findall(
        r"\S+",
        """
        a an the and or but it's its i'm is are was my your our i you he she it we they this that these those
        not no yes yeah yep ok okay sure please thanks thank hi hello hey sorry from to at in on for of with by
        here there just still already also very so really now today tomorrow flight seat seats window aisle
        middle booking reservation confirmation number code name last first full change cancel refund want need
        like help trying going flying travelling traveling looking having getting calling writing waiting asking
        upset angry happy glad fine good great well traveler passenger customer member gold silver unable able
        late stuck at about one two anything nothing something maybe what when where why how which who correct
        right wrong same different none don't dont know have has had do does did can could will would bag bags
        luggage ticket agent human person supervisor manager somebody someone connected going there's front back
        forward further any either row exit card visa passport email phone any thing else all that's it's
        sitting disappointed aisle. soon asap pnr record locator boarding pass as below above wonderful perfect
        bye goodbye confirm misspelled misspelt spelled spelt incorrect missing booked
        """,
    )
)


def find_name(text: str, *, asked: bool) -> str | None:
    """Give the passenger's name, or the part that was said; `asked` says that the airline had just asked for it.

    Only then does a bare word count as a name.
    """
    text = text.replace("\u2019", "'")
    for pattern in _STATED:
        for match in pattern.finditer(text):
            name = _clean(match["name"])
            if name is not None:
                return name
    for pattern in (_BESIDE_CODE, _AFTER_CODE):
        beside = pattern.search(text)
        if beside is not None:
            return _clean(beside["name"])
    alone = _ALONE.match(text) if asked else None
    return _clean(alone["name"]) if alone is not None else None


def _clean(name: str) -> str | None:
    """Cut a name where it stops being one; None when nothing is left."""
    kept: list[str] = []
    for word in name.split():
        bare = word.strip(".,'-")
        if bare.lower() in _NO_NAMES or not bare:
            break
        kept.append(bare)
        if word.endswith("."):
            break
    return " ".join(kept) or None


class CorrectedName(NamedTuple):
    """Hold how a name should read, and how it reads now where that was said."""

    after: str
    before: str | None = None


_PLAIN_NAME = rf"{_NAME_WORD}(?: {_NAME_WORD}){{0,2}}"
_CORRECTED = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"\bfrom (?P<before>{_PLAIN_NAME}) to (?P<after>{_PLAIN_NAME})",
        rf"\b(?P<after>{_PLAIN_NAME}),? (?:and )?(?:not|instead of|rather than) (?P<before>{_PLAIN_NAME})",
        rf"\b(?P<before>{_PLAIN_NAME}) (?:should|must|ought to|needs to) (?:be|read|say) (?P<after>{_PLAIN_NAME})",
        rf"\b(?:should|must|needs to) (?:be|read|say)(?: spell?ed| spelt)?:? (?P<after>{_PLAIN_NAME})",
        rf"\b(?:correct|right|proper) (?:\w+ )?(?:name|spelling|surname) (?:is|would be):? (?P<after>{_PLAIN_NAME})",
        rf"\b(?:change|correct|fix|update) (?:it|the (?:\w+ )?name|my (?:\w+ )?name) to (?P<after>{_PLAIN_NAME})",
        rf"\b(?:is|it'?s) (?:actually |really )?(?:spelled|spelt|written) (?P<after>{_PLAIN_NAME})",
    )
)


def find_corrected_name(text: str, *, asked: bool) -> CorrectedName | None:
    """Give the right spelling of a name; `asked` says that the airline had just asked for it."""
    said = text.replace("\u2019", "'")
    for pattern in _CORRECTED:
        match = pattern.search(said)
        if match is None:
            continue
        after = _clean(match["after"])
        if after is not None:
            before = _clean(match["before"].rpartition(" name ")[2]) if "before" in match.groupdict() else None
            return CorrectedName(after, before)
    name = find_name(said, asked=True) if asked else None
    return CorrectedName(name) if name is not None else None


_USER_ID = re.compile(r"\b([a-z]{2,})_([a-z]{2,})_\d{2,}\b", re.IGNORECASE)
_TRAVELLERS = re.compile(rf"\b(?:for|of)(?: both| passengers?| travell?ers?)? (?P<name>{_CAPITALISED} {_CAPITALISED})")


def guess_name(text: str) -> str | None:
    """Give a name that stands in a message without being stated as one: a user id's, or a traveller's beside a wish."""
    user_id = _USER_ID.search(text)
    if user_id is not None:
        return f"{user_id[1]} {user_id[2]}".title()
    traveller = _TRAVELLERS.search(text)
    return _clean(traveller["name"]) if traveller is not None else None
