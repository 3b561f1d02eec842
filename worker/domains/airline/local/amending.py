"""Decide about cancelling, bags, names and cabins: quote when everything is said, else ask for what is not."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from rapidfuzz.distance import OSA

from worker.domains.airline.local import offers
from worker.domains.airline.local.reading.counts import count_bags
from worker.domains.airline.local.reading.slots import CorrectedName, find_corrected_name
from worker.domains.airline.local.reading.wishes import Wish
from worker.domains.airline.local.situation import Situation
from worker.models.output import Call, Say, Step

TOOLS: dict[Wish, str] = {
    "cancel": "quote_cancellation",
    "bags": "quote_bags",
    "name": "quote_passenger_correction",
    "upgrade": "quote_cabin_change",
}

_SLIPS_MAX = 2
"""Letters by which two spellings of one name differ at most."""
_NOT_A_NAME = re.compile(r"\b(?:birth ?days?|date of birth|gender|title|mr|mrs|ms)\b", re.IGNORECASE)


def is_for_tool(situation: Situation, wish: Wish, since: int) -> bool:
    """Check whether a tool of this agent does what is wished."""
    if wish == "name" and any(_NOT_A_NAME.search(text) for text in situation.customer_texts[since:]):
        return False
    return wish in TOOLS and (situation.can(TOOLS[wish]) or not situation.facts.verified)


def amend(situation: Situation, reservation: dict[str, Any], wish: Wish, since: int) -> Step:
    """Quote what is wished for the open booking, or ask for what the quote needs."""
    texts = situation.customer_texts[since:]
    if wish == "cancel":
        return _cancel(situation, texts)
    if wish == "bags":
        return _add_bags(situation, texts, reservation)
    if wish == "name":
        return _correct_name(situation, texts, reservation)
    return _change_cabin(situation, texts, reservation)


_REASONS: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "airline_cancelled",
        re.compile(
            r"\b(?:you|airline|they) (?:have |had |has )?(?:already )?cancel\w*|"
            r"\bflight (?:was|is|got|has been|were) cancel\w*|\bcancel\w* by (?:you|the airline)",
            re.IGNORECASE,
        ),
    ),
    (
        "health",
        re.compile(
            r"\b(?:sick|ill|illness|unwell|hospital\w*|health|doctor|surgery|injur\w*|broke my|covid|flu|medical|"
            r"pregnan\w*)\b",
            re.IGNORECASE,
        ),
    ),
    (
        "weather",
        re.compile(r"\b(?:weather|snow\w*|storms?|hurricane|blizzard|flood\w*|ice storm|tornado)\b", re.IGNORECASE),
    ),
    (
        "change_of_plan",
        re.compile(
            r"\b(?:plans?|changed? (?:my|our) mind|no longer|don'?t need|not (?:going|needed|travel\w*)|"
            r"can(?:'?t|not) (?:make|go|travel)|came up|meeting|work|schedule|driving instead|mistake|someone else|"
            r"found (?:a|another))\b",
            re.IGNORECASE,
        ),
    ),
)


_NOT_SO = re.compile(r"\b(?:not|isn'?t|aren'?t|wasn'?t|never|no|neither|nor)\b[^.,;!?]{0,12}$", re.IGNORECASE)


def _is_given(pattern: re.Pattern[str], text: str) -> bool:
    """Check whether a reason stands in a text, and not that it is none: "I'm not sick"."""
    return any(not _NOT_SO.search(text[: match.start()]) for match in pattern.finditer(text))


def _cancel(situation: Situation, texts: Sequence[str]) -> Step:
    reason = next((name for text in reversed(texts) for name, pattern in _REASONS if _is_given(pattern, text)), None)
    if reason is None:
        if offers.ASKED_FOR_REASON.search(situation.last_reply) and "?" in situation.message:
            return Say(offers.ask_for_reason_again())
        asked = any(offers.ASKED_FOR_REASON.search(line.text) for line in situation.lines if line.speaker == "airline")
        if not asked:
            return Say(offers.ask_for_reason())
        reason = "other"
    return Call("quote_cancellation", {"reason": reason})


def _add_bags(situation: Situation, texts: Sequence[str], reservation: dict[str, Any]) -> Step:
    offered = situation.open_offer
    asked = offers.ASKED_FOR_BAGS.search(situation.last_reply) is not None
    is_corrected = offered is not None and offered.kind == "bags"
    count = count_bags(situation.message, asked=asked or is_corrected)
    if count is None:
        count = next((found for text in reversed(texts) if (found := count_bags(text)) is not None), None)
    if count is None:
        return Say(offers.ask_for_bags())
    return Call("quote_bags", {"additional_bags": count, **_payment(situation, reservation)})


def _correct_name(situation: Situation, texts: Sequence[str], reservation: dict[str, Any]) -> Step:
    asked = offers.ASKED_FOR_NEW_NAME.search(situation.last_reply) is not None
    travellers = [str(passenger.get("name")) for passenger in reservation.get("passengers", [])]
    for text in reversed(texts):
        corrected = find_corrected_name(text, asked=asked and text == situation.message)
        if corrected is None:
            continue
        corrected = right_way_round(corrected, travellers)
        wrong = corrected.before or _likeliest(corrected.after, travellers) or situation.facts.passenger_name or ""
        given_name, surname = _complete(corrected.after, _likeliest(wrong, travellers) or wrong)
        return Call(
            "quote_passenger_correction",
            {"passenger_name": _likeliest(wrong, travellers) or wrong, "given_name": given_name, "surname": surname},
        )
    return Say(offers.ask_for_new_name())


def _likeliest(name: str, travellers: Sequence[str]) -> str | None:
    """Return the traveller who shares a word with a name, or has a similar one; the only one, whatever it is."""
    if len(travellers) == 1:
        return travellers[0]
    words = set(name.lower().split())
    shared = next((one for one in travellers if words & set(one.lower().split())), None)
    return shared or next((one for one in travellers if _is_like(name, one)), None)


def _is_like(name: str, traveller: str) -> bool:
    pairs = ((word, booked) for word in name.lower().split() for booked in traveller.lower().split())
    return any(OSA.distance(word, booked) <= _SLIPS_MAX for word, booked in pairs)


def right_way_round(corrected: CorrectedName, travellers: Sequence[str]) -> CorrectedName:
    """Return a correction with the name that is booked as the wrong one: "Jonh instead of John" means John."""
    booked = {word for one in travellers for word in one.lower().split()}
    wrong = corrected.before
    is_turned = wrong is not None and corrected.after.lower() in booked and wrong.lower() not in booked
    return CorrectedName(wrong, corrected.after) if wrong and is_turned else corrected


def corrects_a_name(text: str, reservation: dict[str, Any]) -> bool:
    """Check whether a message sets a spelling against another one of which just one stands on the booking."""
    travellers = [str(passenger.get("name")) for passenger in reservation.get("passengers", [])]
    corrected = find_corrected_name(text, asked=False)
    if corrected is None or corrected.before is None:
        return False
    corrected = right_way_round(corrected, travellers)
    booked = {word for one in travellers for word in one.lower().split()}
    return {word.lower() for word in (corrected.before or "").split()} <= booked and any(
        _is_like(corrected.after, one) for one in travellers
    )


def _complete(name: str, booked: str) -> tuple[str, str]:
    """Split a name; where one word was said, it takes the place of the booked word that begins alike."""
    words = name.split()
    given_name, _, surname = booked.rpartition(" ")
    if len(words) > 1:
        return " ".join(words[:-1]), words[-1]
    if given_name[:1].lower() == words[0][:1].lower() and surname[:1].lower() != words[0][:1].lower():
        return words[0], surname
    return given_name, words[0]


_CABINS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("basic_economy", re.compile(r"\b(?:to|in|into) basic(?: economy)?\b", re.IGNORECASE)),
    ("business", re.compile(r"\b(?:business|first|premium)\b", re.IGNORECASE)),
    ("economy", re.compile(r"\b(?:economy|coach|main cabin)\b", re.IGNORECASE)),
)


_TARGET = re.compile(
    r"\b(?:to|in|into|want|prefer|take|fly|for) (?:the |a |an )?"
    r"(?:basic economy|business|first|premium|economy|coach|main cabin)\b(?! (?:is|are|was|costs?)\b)",
    re.IGNORECASE,
)


def _cabin_named(text: str) -> str | None:
    """Return the cabin that a text wants: the one after "to" or "in", else any that it names."""
    target = _TARGET.search(text)
    said = target[0] if target else text
    return next((name for name, pattern in _CABINS if pattern.search(said)), None)


def _change_cabin(situation: Situation, texts: Sequence[str], reservation: dict[str, Any]) -> Step:
    wanted = next((cabin for text in reversed(texts) if (cabin := _cabin_named(text))), None)
    if wanted is None and reservation.get("cabin") == "basic_economy":
        return Say(offers.ask_for_cabin())
    return Call("quote_cabin_change", {"cabin": wanted or "business", **_payment(situation, reservation)})


_PAYMENTS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("gift card", re.compile(r"\bgift ?card\b", re.IGNORECASE)),
    ("certificate", re.compile(r"\b(?:certificate|voucher)\b", re.IGNORECASE)),
)
_LAST_FOUR = re.compile(r"\bending (?:in|with) (\d{4})\b", re.IGNORECASE)


def find_payment(text: str, reservation: dict[str, Any]) -> int | None:
    """Return the number of the payment method that a message names, of those on file; None for the usual one."""
    methods = reservation.get("payment_methods")
    if not isinstance(methods, dict):
        return None
    last_four = _LAST_FOUR.search(text)
    wanted = [last_four[1]] if last_four else [name for name, pattern in _PAYMENTS if pattern.search(text)]
    return next((int(number) for number, shown in methods.items() if any(one in str(shown) for one in wanted)), None)


PAID_KINDS = frozenset({"bags", "cabin_change", "flight_change"})
"""Kinds of offers that another way to pay changes."""
_OTHER_PAYMENT = re.compile(
    r"\b(?:another|other|different|not (?:that|this|the same)|wrong)\b.{0,20}\b(?:cards?|payment|way to pay)\b|"
    r"\b(?:use|charge|pay (?:with|by|from|using)|put it on|take it from)\b.{0,25}"
    r"\b(?:card|certificate|voucher|credit|one)\b",
    re.IGNORECASE,
)


def wants_other_payment(text: str) -> bool:
    """Check whether a message asks that something be paid otherwise than it was offered."""
    return _OTHER_PAYMENT.search(text) is not None


def ask_for_payment(situation: Situation, reservation: dict[str, Any]) -> Step | None:
    """Ask which way to pay is meant where another one is wished and none is named; None otherwise."""
    offered = situation.open_offer
    if offered is None or offered.kind not in PAID_KINDS or not wants_other_payment(situation.message):
        return None
    methods = reservation.get("payment_methods")
    if find_payment(situation.message, reservation) is not None or not isinstance(methods, dict):
        return None
    return Say(offers.ask_for_payment([str(shown) for shown in methods.values()]))


def _payment(situation: Situation, reservation: dict[str, Any]) -> dict[str, Any]:
    method = find_payment(situation.message, reservation)
    return {"payment_method": method} if method is not None else {}
