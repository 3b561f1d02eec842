"""Read one message into what a decision may look at: who writes, what of a trip is named, what each clause is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from worker.domains.airline.local.reading.clauses import clauses_in, is_refusal_of_a_deed, own_text
from worker.domains.airline.local.reading.cues import cues_in
from worker.domains.airline.local.reading.intent import classify, flatten
from worker.domains.airline.local.reading.names import Name, find_names
from worker.domains.airline.local.reading.own_questions import Fact, own_questions_in
from worker.domains.airline.local.reading.seats import Preference, find_preference, find_seats
from worker.domains.airline.local.reading.slots import find_confirmation_number, find_flight_number
from worker.domains.airline.local.reading.wishes import WEAK, Wish, find_wishes, wish_in

ClauseKind = Literal["wish", "own_question", "policy_question", "complaint", "small_talk", "aside"]

_CACHED_TEXTS_MAX = 2_048
_SURE_OF_POLICY = 0.6
_TELL_ME = re.compile(
    r"(?:please |and |but |first |just |also |then |so )*(?:tell|let) (?:me|us)(?: know)? "
    r"(?:how|what|when|where|which|if|whether)\b",
    re.IGNORECASE,
)
_BEFORE_TELL = re.compile(r"^.*?(?=\b(?:tell|let) (?:me|us)\b)", re.IGNORECASE)
_ASKED_FOR_PRICE = re.compile(
    r"\b(?:how much|what) (?:does|do|is|are|would|will)\b|\b(?:fees?|charges?)\b", re.IGNORECASE
)
_ASKS_FOR_HELP = re.compile(
    r"(?:so |and |but |ok |please )*(?:can|could|would|will) you (?:please |maybe |just )*"
    r"(?:check|help|do|tell|confirm|look|see|make|try|explain|fix)\b.{0,25}$|"
    r"(?:is|would) (?:that|this|it) (?:be )?(?:ok|okay|fine|possible|right)\W*$|help\W*$",
    re.IGNORECASE,
)
_ABOUT_OWN = re.compile(r"\b(?:my|our) (?:\w+ )?(?:flights?|bookings?|reservations?|trips?|seats?)\b", re.IGNORECASE)
_FOR_ME = re.compile(r"\b(?:for|cost|costs|be) (?:me|us)\b", re.IGNORECASE)
_CONCEDES = re.compile(
    r"(?:(?:and|well|ok|okay|yes|sure|fine)\W+)*(?:even though|even if|although|though|"
    r"(?:i|we)(?:'m|'re| am| are)? (?:do |fully |already |also |quite |well )*"
    r"(?:understand|know|realise|realize|accept|appreciate|get|see|aware|acknowledge))\b"
    r"(?=.*(?:\b(?:no|not|without|non-?refundable|fees?|costs?|charges?|penalty|lose|extra|more|nothing)\b|n't\b))"
    r"(?!.*(?:\?|\b(?:want|need|like|please|owed|entitled|due|demand|expect)\b))",
    re.IGNORECASE,
)
"""Matches a price or a lack that is granted before a wish: "I understand there is no refund, but"."""
_UPSET = frozenset({"angry", "complain", "complaint", "refund_dispute", "stuck"})


@dataclass(frozen=True)
class Clause:
    """One clause of a message: its words, what it is, and what it wishes or asks for."""

    text: str
    kind: ClauseKind
    wish: Wish | None = None
    facts: tuple[Fact, ...] = ()


@dataclass(frozen=True)
class Reading:
    """What one message says. Names stand as they were typed, the number as its placeholder."""

    clauses: tuple[Clause, ...]
    names: tuple[Name, ...]
    confirmation_number: str | None
    flight_number: str | None
    seats: tuple[str, ...]
    preference: Preference | None
    wishes: tuple[Wish, ...]
    """What is to be done, in the customer's order; what stands beside a plainer wish comes after it."""
    refuses_a_deed: bool
    """Whether it names something that must not be done: "don't cancel"."""

    @property
    def own_questions(self) -> tuple[Fact, ...]:
        """Name the facts of the customer's own booking that are asked for."""
        return tuple(dict.fromkeys(fact for clause in self.clauses for fact in clause.facts))

    @property
    def policy_questions(self) -> tuple[str, ...]:
        """Return the clauses that the published articles may answer."""
        return tuple(clause.text for clause in self.clauses if clause.kind == "policy_question")

    @property
    def asides(self) -> tuple[str, ...]:
        """Return the clauses of which nothing was understood."""
        return tuple(clause.text for clause in self.clauses if clause.kind == "aside")


@lru_cache(maxsize=_CACHED_TEXTS_MAX)
def read_message(text: str, *, name_asked: bool = False) -> Reading:
    """Read a masked message; `name_asked` says that the reply before it asked for a name, so a bare word may be one."""
    clauses = tuple(_read_clause(clause) for clause in clauses_in(text))
    return Reading(
        clauses=clauses if len(clauses) == 1 else tuple(map(_without_concession, clauses)),
        names=find_names(text, asked=name_asked),
        confirmation_number=find_confirmation_number(own_text(text)),
        flight_number=find_flight_number(own_text(text)),
        seats=find_seats(own_text(text)),
        preference=find_preference(own_text(text)),
        wishes=find_wishes(text),
        refuses_a_deed=is_refusal_of_a_deed(text),
    )


def _read_clause(text: str) -> Clause:
    wish, facts = wish_in(text), own_questions_in(text)
    is_told_to_tell = _TELL_ME.match(text) is not None
    label, confidence = classify(_BEFORE_TELL.sub("", text) if is_told_to_tell else text)
    asks = "?" in text or bool(cues_in(flatten(text)) & {"how_question"}) or is_told_to_tell
    is_policy = (
        asks
        and not _ASKS_FOR_HELP.match(text)
        and not facts
        and label == "faq"
        and confidence >= _SURE_OF_POLICY
        and not _ABOUT_OWN.search(text)
        and wish != "seat_status"
        and (wish is None or wish in WEAK or (_ASKED_FOR_PRICE.search(text) is not None and not _FOR_ME.search(text)))
    )
    kind: ClauseKind = "aside"
    if facts:
        kind = "own_question"
    elif is_policy:
        kind = "policy_question"
    elif wish:
        kind = "wish"
    elif cues_in(flatten(text)) & _UPSET:
        kind = "complaint"
    elif label == "smalltalk":
        kind = "small_talk"
    return Clause(text, kind, wish if kind in {"wish", "own_question"} else None, facts)


def _without_concession(clause: Clause) -> Clause:
    """Take what is granted beside something else for no wish of its own."""
    if clause.kind == "wish" and _CONCEDES.match(clause.text.replace("\u2019", "'")):
        return Clause(clause.text, "small_talk")
    return clause
