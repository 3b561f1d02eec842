"""Read from where to where a customer wants to fly, as words: the flight search knows which airports those are."""

from __future__ import annotations

import re
from typing import NamedTuple

_PLACE = r"(?P<{name}>[A-Za-z][A-Za-z.']+(?: [A-Za-z][A-Za-z.']+){{0,2}})"
_FROM = re.compile(rf"\b(?:from|out of|(?:leaving|departing)(?: from)?) {_PLACE.format(name='place')}", re.IGNORECASE)
_TO = re.compile(
    r"\b(?:to|into|for|towards) (?!(?:fly|go|change|move|book|get|travel|be|the|a|an|my|do|add|cancel|me|us)\b)"
    + _PLACE.format(name="place"),
    re.IGNORECASE,
)
_PAIR = re.compile(r"\b(?P<origin>[A-Z]{3}) ?(?:-|\u2013|->|\u2192|/|to) ?(?P<destination>[A-Z]{3})\b")
_AROUND = frozenset(
    re.findall(
        r"\S+",
        """
        on at in the a an and or next this for by with leaving returning departing arriving
        tomorrow today tonight please
        if around after before monday tuesday wednesday thursday friday saturday sunday january february march april may
        june july august september october november december mon tue tues wed thu thur thurs fri sat sun
        jan feb mar apr jun jul aug sep sept oct nov dec to from via is there that i we
        my an earlier later another different business economy first class one way round trip flight flights time
        morning evening afternoon night noon day date seat window aisle middle option it them you me us here about
        instead now what how when where can could would reservation booking confirmation weekend week month cheap
        cheapest direct nonstop non-stop ticket tickets two three four people adults someone person help thanks thank
        sure late early all both everyone back home as soon name number code agent flying travel trips
        """,
    )
)


class Route(NamedTuple):
    """A wish for a route as far as it was said."""

    origin: str | None = None
    destination: str | None = None

    def over(self, earlier: Route) -> Route:
        """Fill what is missing from what was said earlier."""
        return Route(self.origin or earlier.origin, self.destination or earlier.destination)


def find_route(text: str) -> Route:
    """Return the places after "from" and "to", or a pair of codes; None for what is not said."""
    pair = _PAIR.search(text)
    if pair is not None:
        return Route(pair["origin"], pair["destination"])
    return Route(_last(_FROM, text), _last(_TO, text))


_SERVED = re.compile(
    r"^\W*(?i:(?:(?:hi|hello|hey|so|and|ok)\W+)*(?:do|does|can|could|will|would) "
    r"(?:you|u|your (?:airline|planes?)|this airline|i|we) (?:guys )?(?:also |even |actually |still )*"
    r"(?:fly|go|travel|operate|(?:have|offer)(?: any)? flights?|get) (?:with you )?(?:directly |nonstop )?(?:to|into)) "
    r"(?P<place>[A-Z][\w.']+(?: [A-Z][\w.']+){0,2})(?i: with you)?(?i: at all| too| as well)?\W*$",
)


def asks_where_we_fly(text: str) -> str | None:
    """Return the place of a message that only asks whether it is flown to: "do you fly to Tokyo?"."""
    asked = _SERVED.match(text)
    return _cut(asked["place"]) if asked is not None else None


def find_bare_place(text: str) -> str | None:
    """Return the place that an answer to "where from?" consists of."""
    words = re.findall(r"[A-Za-z.']+", text)
    return _cut(" ".join(words)) if 1 <= len(words) <= _BARE_WORDS_MAX else None


_BARE_WORDS_MAX = 3


def _last(pattern: re.Pattern[str], text: str) -> str | None:
    places = [place for match in pattern.finditer(text) if (place := _cut(match["place"]))]
    return places[-1] if places else None


def _cut(words: str) -> str | None:
    kept: list[str] = []
    for word in words.split():
        if word.lower().strip(".'") in _AROUND:
            break
        kept.append(word.strip(".'"))
    return " ".join(kept) or None
