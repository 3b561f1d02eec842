"""Find telephone numbers and e-mail addresses."""

from __future__ import annotations

import re
from collections.abc import Iterator

import phonenumbers

from worker.guardrails.found import CUE_CHARACTERS, Found

PHONE_REGION = "US"
"""Region assumed for a phone number without a country code."""

_DIGITS_MIN, _DIGITS_MAX = 7, 15  # of a phone number with its country code: ITU-T E.164 has at most 15
_SEVEN_DIGITS = re.compile(r"(?:\d\D{0,3}){6}\d")
_PHONE_FORM = re.compile(r"\+|(?:\(\d{3}\)[-. /]{0,3}|\d{3}[-. /]{1,3})\d{3}[-. /]{1,3}\d{4}(?!\d)")
_TRUNK = re.compile(r"(?<![\w+])00(?=[1-9]\d)")
_NUMBERED = (
    r"(?:e-?ticket|ticket|tag|tracking|waybill|awb|parcel|shipment|order|reference|ref|case|claim|complaint|invoice|"
    r"receipt|serial|miles?|member|membership|flyer|loyalty|skymiles|rewards?|account|incident|report|voucher|ups|dhl|"
    r"fedex|passport|upc|iban|acct|zip|post ?code|postal|sku|asset)"
)
_OTHER_NUMBER = re.compile(
    rf"\b{_NUMBERED}(?:\b\W*|(?=\d))(?:(?:number|num|no|nr|id|is|was|it's|code|file|#)\W*){{0,3}}"
    r"(?:\d{1,4}\W{1,2}){0,3}$",
    re.IGNORECASE,
)
_OTHER_BETWEEN = re.compile(
    rf"\b(?:{_NUMBERED}|flights?|between|from|seats?|gate|row|error|form|version)\b", re.IGNORECASE
)
_CUE = re.compile(
    r"(?:\b(?:call(?:ed|s|ing|back)?|(?:tele)?phones?|ph|mobile|mob|cell(?:phone)?|tel|text(?:ed|ing)?|txt|sms|"
    r"whats ?app|viber|telegram|reach(?:ed|able)?|contact(?:ed|s)?|ring|dial(?:ed)?|fax|landline|"
    r"hotline|voicemail)(?![a-z])"
    r"|\b(?:my|his|her|our|their|whose|[a-z]+'s|call ?back|home|work|office|daytime|evening|emergency|best|new|old|"
    r"current|local|alternate|alternative|husband|wife|mom|dad)\s(?:number|num|no\.|nr|#))",
    re.IGNORECASE,
)
_CLOSE = re.compile(r"(?:me|us|no|nr| ?number)?[.:,/#=]?")
_GAP_CHARACTERS = 30
_WRITTEN = re.compile(r"(?<![\w+$\u20ac\u00a3#.,:/-])\+?\(?\d(?:[ ().\-/]{0,3}\d){6,14}(?![\w$\u20ac\u00a3%])")
# Behind a word that tells what it is, a number may stand close to it: tel4155550132, mob.07700900123.
_WRITTEN_CLOSE = re.compile(r"(?<![\d+$\u20ac\u00a3])\+?\(?\d(?:[ ().\-/]{0,3}\d){6,14}(?![\d$\u20ac\u00a3%])")
_SAID_AFTER = re.compile(
    r"(?<![\w+$\u20ac\u00a3#.,:/-])(\+?\(?\d(?:[ ().\-/]{0,3}\d){6,14}),? (?:is|was|=|-) (?:on )?"
    r"(?:my|the|her|his|our|their) (?:(?:new|old|other|work|home|private|direct) )?"
    r"(?:mobile|cell|phone|number|landline|tel|contact)\b",
    re.IGNORECASE,
)
_ABROAD = re.compile(
    r"(?<![\w+])(?:\+ ?\(?[1-9](?:[ ().\-/]{0,3}\d){7,14}|00[ .\-/]{0,2}\(?[1-9](?:[ ().\-/]{0,3}\d){8,14})(?!\d)"
)
_DATE = re.compile(
    r"\d{1,2}([./-])\d{1,2}\1(?:\d{2}|\d{4})(?!\d|\1)|\d{1,2} \d{1,2} (?:19|20)\d\d\b|(?:19|20)\d\d([./-])?\d\d\2\d\d"
)
# As it is dialled in other countries, with a trunk zero: 020 7946 0958, (0)30 90 18 20, 06.12.34.56.78, 07911123456.
_NATIONAL = re.compile(r"(?<![\w+$#.,:/-])\(?0\)?\d{0,4}\)?(?:[ .\-/]{0,3}\d){6,11}(?![\w%]|[-/.:,]\d| \d)")
_GLUED = re.compile(r"(?<=[A-Za-z:])0[1-9]\d{8,10}(?!\d)")  # on0416123456: no blank before it
_NATIONAL_DIGITS = range(9, 13)
_TRUNK_REGIONS = (
    "GB", "DE", "FR", "AU", "NL", "IT", "IN", "IE", "BE", "CH", "SE", "JP", "KR", "NZ", "ZA", "TR", "VN", "PH"
)  # fmt: skip
"""Where a national number begins with a zero, and a lone row of digits may be told by the ranges in use there."""
_CLOCK = re.compile(r"(?:[01]\d|2[0-3])[0-5]\d")


def find_phones(text: str) -> Iterator[Found]:
    """Find phone numbers: after a cue, with a country's prefix, or in the form and the ranges of PHONE_REGION."""
    if _SEVEN_DIGITS.search(text) is None:
        return
    found = [*_known_numbers(text), *_after_cues(text)]
    found += [
        _phone(match.start(), match.end(), match[0])
        for match in (*_calls_abroad(text), *filter(_is_national, (*_NATIONAL.finditer(text), *_GLUED.finditer(text))))
        if match[0].startswith("+") or not _is_other_number(text, match.start())
    ]
    found += [_phone(match.start(1), match.end(1), match[1]) for match in _SAID_AFTER.finditer(text)]
    # The longest reading first: of 8 (912) 345-67-89 a part is an American number.
    yield from sorted(found, key=lambda one: one.start - one.end)


def _phone(start: int, end: int, written: str) -> Found:
    # A number of another country, written as it is dialled there: nobody can tell which, but it is announced.
    digits = re.sub(r"[^\d+]", "", written.replace("(0)", ""))
    return Found(start, end, "PHONE", "+" + digits[2:] if digits.startswith("00") else digits)


def _calls_abroad(text: str) -> Iterator[re.Match[str]]:
    """Return what begins with a plus, or with 00 and could be a number of some country."""
    for match in _ABROAD.finditer(text):
        if match[0].startswith("+") or _is_possible(re.sub(r"\D", "", match[0].replace("(0)", ""))[2:]):
            yield match


def _is_possible(digits: str) -> bool:
    try:
        number = phonenumbers.parse(f"+{digits}")
    except phonenumbers.NumberParseException:
        return False
    # 001 and ten digits are as often a ticket of ours: only numbers that are given out count there.
    is_there = phonenumbers.is_valid_number if digits.startswith("1") else phonenumbers.is_possible_number
    return bool(is_there(number))


def _is_national(match: re.Match[str]) -> bool:
    """Check whether digits that begin with a zero are grouped as a phone number, or are one somewhere."""
    written = match[0]
    groups = re.findall(r"\d+", written.replace("(0)", "0"))
    digits = "".join(groups)
    if len(digits) not in _NATIONAL_DIGITS or _DATE.match(written) or digits.startswith("00"):
        return False
    if len(groups) > 1:
        return not all(_CLOCK.fullmatch(group) for group in groups) and all(len(group) > 1 for group in groups[1:])
    parsed = (phonenumbers.parse(digits, region) for region in _TRUNK_REGIONS)
    return any(phonenumbers.is_valid_number(number) for number in parsed)


def _known_numbers(text: str) -> Iterator[Found]:
    # The international prefix of most countries; the same length, so that places in the text stay where they are.
    dialled = _TRUNK.sub(" +", text)
    for match in phonenumbers.PhoneNumberMatcher(dialled, PHONE_REGION, leniency=phonenumbers.Leniency.POSSIBLE):
        start = match.start - 1 if text[match.start - 1 : match.start + 1] == "00" else match.start
        # The form is looked at as it was typed: 0016 123456 begins like a call abroad and is a bag tag.
        is_formed = _PHONE_FORM.match(text, match.start) is not None
        is_valid = is_formed or phonenumbers.is_valid_number(match.number)
        if is_valid and (text[match.start] == "+" or not _is_other_number(text, start)):
            number = phonenumbers.format_number(match.number, phonenumbers.PhoneNumberFormat.E164)
            yield Found(start, match.end, "PHONE", number)


def _is_other_number(text: str, start: int) -> bool:
    return _OTHER_NUMBER.search(text[max(0, start - CUE_CHARACTERS) : start]) is not None


def _after_cues(text: str) -> Iterator[Found]:
    for cue in _CUE.finditer(text):
        glue = _CLOSE.match(text, cue.end())
        close = _WRITTEN_CLOSE.match(text, glue.end() if glue is not None else cue.end())
        written = close or _WRITTEN.search(
            text, cue.end(), min(len(text), cue.end() + _GAP_CHARACTERS + 2 * _DIGITS_MAX)
        )
        if written is None or _OTHER_BETWEEN.search(text[cue.start() : written.start()]):
            continue
        between = text[cue.end() : written.start()]
        if len(between) <= _GAP_CHARACTERS and not re.search(r"\d", between) and _reads_as_phone(written[0]):
            yield _local_or_abroad(written)


def _reads_as_phone(written: str) -> bool:
    """Check whether digits are grouped as people write phone numbers: not as dates, and not as several numbers."""
    if _DATE.match(written):
        return False
    groups = [len(group) for group in re.findall(r"\d+", written)]
    return all(size > 1 for size in groups[1:]) or all(size == 1 for size in groups)


def _local_or_abroad(written: re.Match[str]) -> Found:
    digits = re.sub(r"[^\d+]", "", written[0].replace("(0)", ""))
    if digits.startswith(("0", "+")) or len(digits) > 11:  # noqa: PLR2004 - 1 and the ten digits of an American number
        return Found(written.start(), written.end(), "PHONE", digits)
    number = phonenumbers.parse(digits, PHONE_REGION)
    is_american = phonenumbers.is_possible_number(number)
    is_local = len(digits) == _DIGITS_MIN
    value = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return Found(written.start(), written.end(), "PHONE", value if is_american or is_local else digits)


_EMAIL = re.compile(r"(?:\"[^\"\s@][^\"\n@]{0,40}\"|[^\W_][\w.%+'-]*)(?:@|\s@\s)(?:[^\W_][\w-]*\.)+[^\W\d_]{2,24}\b")
_AT = r"(?:\(at\)|\bat\b)"  # every bracket is a round one here
_DOT = r"(?:\(dot\)|\bdot\b)"
_SPELLED = re.compile(
    rf"\b[^\W_][\w.+-]*\s*{_AT}\s*[^\W_][\w-]*(?:\s*(?:{_DOT}|\.)\s*[a-z0-9-]+)*?\s*(?:{_DOT}|\.)\s*"
    r"(?:com|net|org|edu|gov|info|biz|me|io|co|eu|uk|de|fr|us|ca|in|au|jp|kr|br|mx|es|it|nl|se|no|ch|at|be|nz|ie|sg)\b"
    rf"(?:\s*(?:{_DOT}|\.)\s*[a-z]{{2}}\b)?",
    re.IGNORECASE,
)
_MAY_BE_SPELLED = re.compile(r"\bat\b.*(?:\bdot\b|\.)", re.IGNORECASE | re.DOTALL)
_SPELLED_AT = re.compile(rf"\s*{_AT}\s*", re.IGNORECASE)
_SPELLED_DOT = re.compile(rf"\s*{_DOT}\s*", re.IGNORECASE)
_MAIL_HOSTS = r"(?:gmail|googlemail|yahoo|ymail|hotmail|outlook|icloud|aol|rediffmail|protonmail|gmx)"
_EMAIL_CUE = re.compile(r"\b(?:e-?mail|mail|gmail)\b", re.IGNORECASE)
_MAIL_HOST = re.compile(rf"\b{_MAIL_HOSTS}\b", re.IGNORECASE)
# An address whose @ or full stop was lost on the way: "kim88gmail.com", "kim 88 gmailcom".
_HOST_ONLY = re.compile(rf"{_MAIL_HOSTS}\s?\.?\s?com\b", re.IGNORECASE)
_LOCAL_BEFORE = re.compile(
    r"(?<![\w.])(?:[a-z][\w.]*\s\d+\s?@?\s?|[a-z][\w.]*\d[\w.]*\s?@?\s?|[a-z][\w.]{2,}@?)$", re.IGNORECASE
)


def find_emails(text: str) -> Iterator[Found]:
    """Find e-mail addresses, with their signs, spelled out, or with a sign lost."""
    if "@" in text:
        for match in _EMAIL.finditer(text):
            yield Found(match.start(), match.end(), "EMAIL", re.sub(r"\s", "", match[0]).lower())
    for match in _SPELLED.finditer(text) if _MAY_BE_SPELLED.search(text) else ():
        is_plain = re.search(r"dot\b|\(at", match[0], re.IGNORECASE) is None
        announced = _EMAIL_CUE.search(text[max(0, match.start() - CUE_CHARACTERS) : match.start()])
        if is_plain and not announced and not _MAIL_HOST.search(match[0]):
            continue  # "I arrive at airport.com" is an address only where one is announced
        address = _SPELLED_DOT.sub(".", _SPELLED_AT.sub("@", match[0], count=1))
        yield Found(match.start(), match.end(), "EMAIL", re.sub(r"\s", "", address).lower())
    for host in _HOST_ONLY.finditer(text):
        local = _LOCAL_BEFORE.search(text, max(0, host.start() - CUE_CHARACTERS), host.start())
        if local is not None:
            written = text[local.start() : host.end()]
            yield Found(local.start(), host.end(), "EMAIL", re.sub(r"\s", "", written).lower())
