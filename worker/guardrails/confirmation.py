"""Find an airline's confirmation numbers in what people type: six of A-Z and 0-9, and much that only looks like one.

A code stands out in three ways, the surest first: after a cue ("confirmation", "record locator"), alone or beside a
name as the whole message (the answer to "may I have your confirmation number?"), or by its own shape, where letters and
digits mix as no flight number, seat, date, price, time or measure does.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

CODE_LENGTH = 6


class Code(NamedTuple):
    """Locate a code, and give it in upper case without separators."""

    start: int
    end: int
    code: str


def _words_of(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\S+", text))


_CUE = re.compile(
    r"\b(?:confirmation(?:[ -]?(?:number|no|num|code|id|nr|#))?|confirm(?:ation)?\s?(?:#|code|number)|"
    r"conf(?:irm)?\.?\s?(?:#|no|num(?:ber)?|code)?|"
    r"(?:booking|reservation|record|itinerary)\s?(?:confirmation\s?)?"
    r"(?:ref(?:erence)?|number|no|num|id|code|locat[oe]r|loc|#)(?:\s(?:number|code|no|id))?|"
    r"booking|reservation|record locat[oe]r|locat[oe]r|pnr|rloc|ref(?:erence)?\s?(?:code|number|no|#)|code)\b",
    re.IGNORECASE,
)
_GLUE = re.compile(
    r"(?:\s|[:#=\"'(*_~\-\u2013\u2014>.,]|\b(?:number|no|nr|num|code|is|it's|its|it|was|are|as|ref|reference|locator|pnr|"
    r"my|the|for|under|of|with|follows|should|be|says|shows|called|letters|id|record|confirmation|booking|reservation|"
    r"here|here's|flights?|trip|\d{1,4})\b)*",
    re.IGNORECASE,
)
_TOKEN = re.compile(r"[A-Za-z0-9]+")
_SEPARATORS = re.compile(r"[ \t.\-_/]{1,3}")

# Six-letter words that stand where a code would ("my confirmation number please"). A pure-letter code in lower case
# after a weak cue is read as a word unless it cannot be one, so the list holds what follows such cues in English.
_WORDS = _words_of(
    """
    please number letter flight ticket unable thanks before should cannot didn't change cancel update
    missing email emails mailed called online system failed screen record booked wasn't hasn't doesn't
    always around travel return family person wanted needed issued showed showing invalid expire seemed
    turned worked within without arrive depart status review refund charge client member mother father
    friend senior coming having thing things simple really almost twice wrong again valid change secure
    unless though either coming myself itself access enough during reason answer google amazon united
    jetblue orlando austin boston dallas denver london madrid berlin athens dublin lisbon mumbai sydney
    monday friday sunday august window middle coffee second minute minutes months summer winter spring
    before behind double single agents people policy office airway delays hotels points credit dollar
    amount upfront number detail letters codes shared saved found sent states entered listed stated
    typed copied stored belongs starts begins quoted appear appears copying anyone
    """
)

_MEASURE = (
    r"(?:am|pm|hrs?|hours?|mins?|minutes?|secs?|days?|weeks?|wks?|months?|mos?|years?|yrs?|lbs?|pounds?|kgs?|"
    r"kilos?|ozs?|miles?|mi|kms?|ft|feet|inch|inches|in|cms?|mm|usd|eur|gbp|cad|aud|inr|dollars?|bucks?|euros?|x|k|st|nd|rd|th|"
    r"people|person|bags?|seats?|adults?|kids?|child|pax|times?|ppl|pts?|points?|min|max|neo|er|"
    r"mph|gb|mb|ghz|hz|volt|watts?|wh|mah|ml)"
)
_MEASURED = re.compile(rf"\d+{_MEASURE}", re.IGNORECASE)
_NOT_A_CODE = re.compile(
    rf"""(?:
      \d+{_MEASURE}                                     # 1230pm, 200lbs, 48hour
    | \d+[hm]\d+m?                                      # 10h30m
    | (?:[a-z]\d|\d[a-z]|[a-z]{{2}})\d{{4}}             # AA1234, B61234: a flight number
    | \d{{1,2}}(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)\d{{0,2}}[a-z]?
    | (?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)\d+
    | n[1-9]\d{{0,4}}[a-hj-np-z]{{0,2}}                 # N123AB: an aircraft
    | (?:seat|seats|row|rows|gate|bag|bags|term|zone|line|item|step|page|room|door|exit|group|pax|flt|leg|part|unit|
        year|day|win|mac|ios|ps|iph|wifi|usb|mp|gen|covid|usd|eur|gbp|cad|inr|boeing|airbus|crj|erj|emb|md|dc|atr)\d+[a-z]?
    | (?:a3[1-8]\d|b7\d[78])[-a-z0-9]{{0,3}}             # A320ne, B777ER: an aircraft type
    | 7\d7[a-z0-9]{{1,3}}                               # 737MAX
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_OTHER_CUE = re.compile(
    r"\b(?:flights?|flt|seats?|rows?|gates?|tail(?: number)?|aircraft|plane|fare(?: basis| code| class)?|"
    r"promo(?: code)?|coupon|discount code|voucher|tracking|bag(?:gage)? tag|tag|username|user ?name|user id|"
    r"user|login|password|zip|postal code|postcode|area code|airport code|error(?: code)?|dress code|country code|"
    r"model|terminal|ticket|order|case|claim|hotel|room)\b"
    r"[ #:='\"(]*(?:(?:number|no|code|id|is|was|#|basis|class)[ .#:='\"(]*){0,3}$",
    re.IGNORECASE,
)
_FLIGHT_SHAPE = re.compile(r"[A-Z]{3}\d{3}", re.IGNORECASE)  # LFA118: an ICAO airline code and a number
_FLIGHT_CUE = re.compile(r"\b(?:flights?|flt|flying|depart\w*|delay\w*|from|board\w*)\b", re.IGNORECASE)
_CUE_REACH_CHARACTERS = 30
_GLUE_CHARACTERS_MAX = 60  # keeps the search linear on a text made of nothing but cues
_TRANSITIONS_MIN = 2

_LEAD = re.compile(
    r"""^\W*(?:(?:hi|hello|hey|ok|okay|sure|yes|yeah|yep|thanks|thank\syou|sorry)\W+)*
    (?:(?:it\s?['\u2019]?s|it\sis|its|this\sis|i\s?['\u2019]?m|i\sam|im|my\s(?:last\s|first\s|full\s|sur)?name\s?(?:is|['\u2019]s)?|
    (?:last\s|full\s|sur)?name(?:\sis)?|here\s(?:it\sis|you\s(?:go|are))|here['\u2019]s|the)\b\W*)*""",
    re.IGNORECASE | re.VERBOSE,
)
_NAME_WORDS_MAX = 4
_NO_NAMES = _words_of(
    """
    flight flights flt seat seats row rows gate bag bags the a an to from at on in for of is are was it
    this that my your our need want change cancel book have has had get got do does did can could will
    would please window aisle middle under over about around between before after next last until till
    by room terminal group zone user username login id option price cost total pay paid weight call
    ticket order case fare code number and or not no with i we you they
    """
)


def find_confirmation_numbers(text: str) -> Iterator[Code]:
    """Find every confirmation number in a normalised text; overlapping finds are given once, the surest reading."""
    taken: list[Code] = []
    for found in (*_after_cues(text), *_whole_message(text), *_by_shape(text)):
        if all(found.end <= other.start or found.start >= other.end for other in taken):
            taken.append(found)
            yield found


def _after_cues(text: str) -> Iterator[Code]:
    for cue in _CUE.finditer(text):
        if _OTHER_CUE.search(text[max(0, cue.start() - _CUE_REACH_CHARACTERS) : cue.end()]):
            continue
        glue = _GLUE.match(text, cue.end(), min(len(text), cue.end() + _GLUE_CHARACTERS_MAX))
        start = glue.end() if glue is not None else cue.end()
        introduced = (
            glue is not None and re.search(r"[:#=]|\b(?:is|it's|its|was)\b", glue[0], re.IGNORECASE) is not None
        )
        found = _code_at(text, start, introduced=introduced)
        if found is not None:
            yield found


def _code_at(text: str, start: int, *, introduced: bool) -> Code | None:
    """Read a code that begins at `start`, in one piece or spelled in several."""
    token = _TOKEN.match(text, start)
    if token is None:
        return None
    if len(token[0]) == CODE_LENGTH:
        return _as_code(token.start(), token.end(), token[0], introduced=introduced, shouting=text.isupper())
    return _spelled_at(text, start)


def _as_code(start: int, end: int, token: str, *, introduced: bool, shouting: bool) -> Code | None:
    if token.isalpha():
        shouted = token.isupper() and not shouting
        if token.lower() in _WORDS or not (shouted or introduced):
            return None
    return Code(start, end, token.upper())


def _spelled_at(text: str, start: int) -> Code | None:
    """Read `3 r 8 w 4 m` or `tpw 583`: short parts that make six characters, a digit among them."""
    parts: list[str] = []
    position = end = start
    while token := _TOKEN.match(text, position):
        parts.append(token[0])
        end = token.end()
        if sum(map(len, parts)) >= CODE_LENGTH:
            break
        gap = _SEPARATORS.match(text, end)
        if gap is None:
            break
        position = gap.end()
    code = "".join(parts)
    single_letters = all(len(part) == 1 for part in parts)
    if len(code) != CODE_LENGTH or len(parts) < 2 or not (single_letters or _has_both(code)):  # noqa: PLR2004 - a pair
        return None
    return Code(start, end, code.upper())


def _whole_message(text: str) -> Iterator[Code]:
    """Read a message that is a name and a code, a code alone, or a code and a name: an answer to being asked."""
    lead = _LEAD.match(text)
    start = lead.end() if lead is not None else 0
    tokens = [(token.start(), token.end(), token[0]) for token in _TOKEN.finditer(text, start)]
    if not tokens or len(tokens) > _NAME_WORDS_MAX + CODE_LENGTH + 1:
        return
    yield from _code_beside_name(tokens, text)


def _code_beside_name(tokens: list[tuple[int, int, str]], text: str) -> Iterator[Code]:
    for first in range(len(tokens)):
        code = ""
        for last in range(first, len(tokens)):
            code += tokens[last][2]
            if len(code) >= CODE_LENGTH:
                break
        rest = tokens[:first] + tokens[last + 1 :]
        if len(code) != CODE_LENGTH or not _has_both(code) or not _is_name([word for _, _, word in rest]):
            continue
        pieces = last - first + 1
        if all(_MEASURED.fullmatch(word) for _, _, word in tokens[first : last + 1]):
            continue  # 8am-5pm
        if pieces == 1 and _NOT_A_CODE.fullmatch(code):
            continue
        if pieces == 2 and re.fullmatch(r"(?:[a-z]{2}|[a-z]\d|\d[a-z])\d{4}|\d+" + _MEASURE, code, re.IGNORECASE):  # noqa: PLR2004
            continue
        if "\n" in text[tokens[first][0] : tokens[last][1]]:
            continue
        yield Code(tokens[first][0], tokens[last][1], code.upper())
        return


def _is_name(words: list[str]) -> bool:
    words = [word for word in words if word.lower() not in {"and", "is", "its", "my", "name", "the", "s", "here"}]
    return len(words) <= _NAME_WORDS_MAX and all(word.isalpha() and word.lower() not in _NO_NAMES for word in words)


_SHAPED = re.compile(r"(?<![\w@#$.\u20ac\u00a3/+-])[A-Za-z0-9]{6}(?![\w@/]|[-.]\w)")


def _by_shape(text: str) -> Iterator[Code]:
    for match in _SHAPED.finditer(text):
        token = match[0]
        if not _has_both(token) or _NOT_A_CODE.fullmatch(token):
            continue
        if _OTHER_CUE.search(text[max(0, match.start() - _CUE_REACH_CHARACTERS) : match.start()]):
            continue
        around = text[max(0, match.start() - _CUE_REACH_CHARACTERS) : match.end() + len(" from ")]
        if _FLIGHT_SHAPE.fullmatch(token) and _FLIGHT_CUE.search(around):
            continue
        if token.upper() != token and _transitions(token) < _TRANSITIONS_MIN:
            continue
        yield Code(match.start(), match.end(), token.upper())


def _has_both(code: str) -> bool:
    return not code.isalpha() and not code.isdigit()


def _transitions(code: str) -> int:
    return sum(left.isdigit() != right.isdigit() for left, right in pairwise(code))
