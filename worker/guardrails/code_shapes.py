"""Find confirmation numbers by their shape alone, whole messages first, and exclude what only looks like one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from typing import NamedTuple

from runtime.patterns import load_patterns
from worker.guardrails.letters import LEET, is_keyboard_mash, is_strange, looks_like_a_word

CODE_LENGTH = 6


class Code(NamedTuple):
    """A code found in a text: its place, and its characters in upper case without separators."""

    start: int
    end: int
    code: str


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
    | \d+(?:h|m|hrs?)\d+(?:m|mins?)?                     # 10h30m
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
OTHER_CUE = re.compile(
    r"\b(?:flights?|flt|seats?|rows?|gates?|tail(?: number)?|aircraft|plane|fare(?: basis| code| class)?|"
    r"promo(?: code)?|coupon|discount code|voucher|tracking|bag(?:gage)? tag|tag|username|user ?name|user id|"
    r"user|login|password|zip|postal code|postcode|area code|airport code|error(?: code)?|dress code|country code|"
    r"city code|restriction|class|meal|model|terminal|order|case|claim|hotel|room)\b"
    r"[ #:='\"(]*(?:(?:number|no|code|id|is|was|#|basis|class)[ .#:='\"(]*){0,3}$",
    re.IGNORECASE,
)
_FLIGHT_SHAPE = re.compile(r"[A-Z]{3}\d{3}", re.IGNORECASE)  # LFA118: an ICAO airline code and a number
_FLIGHT_CUE = re.compile(
    r"\b(?:flights?|flt|flying|flew|depart\w*|delay\w*|from|board\w*|arriv\w*|land\w*|gate|on time|takes? off)\b",
    re.IGNORECASE,
)
CUE_REACH_CHARACTERS = 30
TOKEN = re.compile(r"[A-Za-z0-9]+")
_TRANSITIONS_MIN = 2

_LEAD = re.compile(
    r"""^\W*(?:(?:hi|hello|hey|ok|okay|sure|yes|yeah|yep|thanks|thank\syou|sorry|please|of\scourse|right|great|oh|well)\W+)*
    (?:(?:it\s?['\u2019]?s|it\sis|its|this\sis|i\s?['\u2019]?m|i\sam|im|my\s(?:last\s|first\s|full\s|sur)?name\s?(?:is|['\u2019]s)?|
    (?:last\s|full\s|sur)?name(?:\sis)?|here\s(?:it\sis|you\s(?:go|are))|here['\u2019]s|the)\b\W*)*""",
    re.IGNORECASE | re.VERBOSE,
)
_TAIL = re.compile(r"\s(?:is|was)\s(?:my|the|our)\s(?:\w+\s)?(?:number|code|reference|booking|one)\W*$", re.IGNORECASE)
_NAME_WORDS_MAX = 4


@cache
def _known(section: str) -> re.Pattern[str]:
    return re.compile(load_patterns("worker.guardrails", "confirmation.patterns")[section], re.IGNORECASE)


def is_no_name(word: str) -> bool:
    """Check whether a word belongs to things that are no codes: flights, times, sums, plain English."""
    return _known("no_name").fullmatch(word) is not None


def find_whole_message(text: str) -> Iterator[Code]:
    """Find the code of a message that is a code alone, or a code beside a name: an answer to being asked."""
    lead = _LEAD.match(text)
    start = lead.end() if lead is not None else 0
    tail = _TAIL.search(text, start)
    end = tail.start() if tail is not None else len(text)
    tokens = [(token.start(), token.end(), token[0]) for token in TOKEN.finditer(text, start, end)]
    if not tokens or len(tokens) > _NAME_WORDS_MAX + CODE_LENGTH + 1:
        return
    for first in range(len(tokens)):
        last, code = _gather(tokens, first)
        span = text[tokens[first][0] : tokens[last][1]]
        if text[tokens[last][1] :].startswith(("'", "\u2019")):
            continue  # 365 won't
        rest = [word for _, _, word in tokens[:first] + tokens[last + 1 :]]
        pieces = [word for _, _, word in tokens[first : last + 1]]
        if (
            len(code) == CODE_LENGTH
            and (
                _has_both(code)
                or (len(pieces) == CODE_LENGTH and not is_spelt_name(text, tokens[first][0], tokens[last][1]))
                or (len(pieces) == 1 and is_strange(code) and not is_keyboard_mash(code))
            )
            and _GAPS.fullmatch(re.sub(r"[A-Za-z0-9]", "", span))
            and _is_name(rest)
            and _may_be(pieces, code)
        ):
            yield Code(tokens[first][0], tokens[last][1], code.upper())
            return


_SPELT = re.compile(r"(?<!\w)[^\W\d_](?P<gap>[ \t.\-/,]{1,3})(?:[^\W\d_](?P=gap))*[^\W\d_](?!\w)")
"""Letters one by one, with the same mark or blank between them all."""
_SURNAME_CUE = re.compile(
    r"\b(?:sur|last|family|second|maiden)[ -]?names?\b[^\w\n]*"
    r"(?:\b(?:is|was|it'?s|that'?s|spel(?:t|led)|as|written|goes|like|this|so|with)\b[^\w\n]*)*$",
    re.IGNORECASE,
)
_CODE_WORD = re.compile(
    r"\b(?:confirm\w*|bookings?|reservations?|codes?|ref\w*|pnr|locat[eo]r|number)\b", re.IGNORECASE
)


def is_spelt_name(text: str, start: int, end: int) -> bool:
    """Check whether what stands there is a name spelt letter by letter ("O-K-A-F-O-R"), and no code.

    Spelling changes nothing of what a word is: six letters are a code when nobody would take them for a word. Behind
    "surname" they are a name even then, unless a word for a code stands before them as well; and so are more than six.
    """
    for run in _SPELT.finditer(text, max(0, start - CUE_REACH_CHARACTERS)):
        if run.start() > start:
            break
        if end <= run.end():
            letters = re.sub(r"[\W\d_]", "", run[0])
            if len(letters) > CODE_LENGTH or looks_like_a_word(letters):
                return True
            before = text[:start]
            return _SURNAME_CUE.search(before) is not None and _CODE_WORD.search(before) is None
    return False


_GAPS = re.compile(r"[ \t.\-/,()]*")  # what people put between the pieces of a code


def _gather(tokens: list[tuple[int, int, str]], first: int) -> tuple[int, str]:
    """Join tokens until they have a code's length; returns the index of the last one and the joined text."""
    code, last = "", first
    for last in range(first, len(tokens)):
        code += tokens[last][2]
        if len(code) >= CODE_LENGTH:
            break
    return last, code


_FLIGHT_IN_TWO = re.compile(rf"(?:[a-z]{{2}}|[a-z]\d|\d[a-z])\d{{4}}|\d+{_MEASURE}", re.IGNORECASE)
_SEAT = re.compile(r"\d{1,2}[a-k]", re.IGNORECASE)
_TWO = 2


def _may_be(pieces: list[str], code: str) -> bool:
    """Check whether pieces are those of a code, and not things of their own: 8am-5pm, 12A 14C, UA 1589."""
    if len(pieces) == 1:
        return _NOT_A_CODE.fullmatch(code) is None and not _is_insult(code)
    words = [piece for piece in pieces if len(piece) > 1]
    return not (
        any(is_no_name(word) or is_long_word(word) or _NOT_A_CODE.fullmatch(word) for word in words)
        or all(_MEASURED.fullmatch(word) or _SEAT.fullmatch(word) for word in pieces)
        or (len(pieces) == _TWO and _FLIGHT_IN_TWO.fullmatch(code))
        or (words and all(_SEAT.fullmatch(word) for word in words))
    )


def is_long_word(piece: str) -> bool:
    """Check whether a piece is a word longer than the pieces in which people write codes."""
    return piece.isalpha() and len(piece) > CODE_LENGTH // 2 and looks_like_a_word(piece)


def _is_name(words: list[str]) -> bool:
    words = [word for word in words if word.lower() not in {"and", "is", "its", "my", "name", "the", "s", "here"}]
    return len(words) <= _NAME_WORDS_MAX and all(word.isalpha() and not is_no_name(word) for word in words)


_SHAPED = re.compile(r"(?<![\w@#$.\u20ac\u00a3/+-])[A-Za-z0-9]{6}(?![\w@/]|[-.]\w)")


def find_by_shape(text: str) -> Iterator[Code]:
    """Find tokens that mix letters and digits, or join capitals, as only a code does."""
    is_shouted = text.isupper()
    for match in _SHAPED.finditer(text):
        token = match[0]
        if token.isalpha() and not is_shouted and _is_drawn_by_lot(token):
            yield Code(match.start(), match.end(), token)
        if not _has_both(token) or _NOT_A_CODE.fullmatch(token):
            continue
        if OTHER_CUE.search(text[max(0, match.start() - CUE_REACH_CHARACTERS) : match.start()]):
            continue
        around = text[max(0, match.start() - CUE_REACH_CHARACTERS) : match.end() + len(" from ")]
        if _FLIGHT_SHAPE.fullmatch(token) and (_known("airline").fullmatch(token[:3]) or _FLIGHT_CUE.search(around)):
            continue
        if _is_insult(token) or _is_word_and_number(token) or (_is_airport(token[:3]) and token[3] == "2"):  # JFK2LA
            continue
        if token.upper() != token and _transitions(token) < _TRANSITIONS_MIN:
            continue
        yield Code(match.start(), match.end(), token.upper())


@cache
def _insults() -> re.Pattern[str]:
    known = load_patterns("worker.guardrails", "abuse.patterns")
    return re.compile("|".join(known[section] for section in ("slur", "gendered", "strong_insult")))


def _is_insult(token: str) -> bool:
    """Check whether a token is an insult with digits for letters, which is to be read as one: idi0ts."""
    return _insults().fullmatch(token.lower().translate(LEET)) is not None


_WORD_AND_NUMBER = re.compile(r"\d([A-Za-z]{5})|([A-Za-z]{5})\d")


def _is_word_and_number(token: str) -> bool:
    """Check whether a token reads as a word with a number at one end: PARTY4, 2MORRO."""
    match = _WORD_AND_NUMBER.fullmatch(token)
    return match is not None and looks_like_a_word(match[1] or match[2])


_STRETCHED = re.compile(r"(.)\1\1")  # ARGHHH


def _is_drawn_by_lot(token: str) -> bool:
    """Check whether six capitals can hardly be anything but a code: no word, no two airports, no outcry."""
    if not token.isupper() or looks_like_a_word(token) or _STRETCHED.search(token) or is_keyboard_mash(token):
        return False
    return not (_is_airport(token[:3]) or _is_airport(token[3:]))


def _is_airport(letters: str) -> bool:
    return _known("airport").fullmatch(letters) is not None


def _has_both(code: str) -> bool:
    return not code.isalpha() and not code.isdigit()


def _transitions(code: str) -> int:
    return sum(left.isdigit() != right.isdigit() for left, right in pairwise(code))
