"""Classify what a message is about: a linear classifier over words, word pairs, stems and cues; weights ship."""

from __future__ import annotations

import json
import math
import re
from functools import cache, lru_cache
from importlib import resources
from typing import Any, Literal, NamedTuple, cast

from worker.conversation.vault import replace_placeholders
from worker.domains.airline.local.reading.cues import cues_in
from worker.domains.airline.local.reading.meta import without_robot_question

Label = Literal["faq", "booking", "escalation", "off_topic", "smalltalk"]
LABELS: tuple[Label, ...] = ("faq", "booking", "escalation", "off_topic", "smalltalk")
WEIGHT_UNIT = 100
"""Weights are shipped as whole hundredths, so that a retrained model can be compared without rounding doubts."""

_UNWEIGHED = frozenset({"ours_perhaps", "praise"})
_TELLING_BY_ABSENCE = frozenset({"ours"})
_CACHED_TEXTS_MAX = 2_048
_STEM_CHARACTERS = 5


class Intent(NamedTuple):
    """What a message is most likely about, and the probability the classifier gives that."""

    label: Label
    confidence: float


_HANDLE = re.compile(r"@\w+")
_FLIGHT = re.compile(r"\b[a-z]{2}\d{2,4}\b")
_URL = re.compile(r"https?://\S+|www\.\S+")
_PLACEHOLDER_WORDS = {"CONFIRMATION_NUMBER": "<confirmation>", "CARD_NUMBER": "<card>"}
_WORD = re.compile(r"<\w+>|[a-z]+(?:'[a-z]+)?|\d+|[?!$]")


def flatten(text: str) -> str:
    """Bring a message into the form that cues and features read: lower case, single blanks, `<kind>`s."""
    named = replace_placeholders(text, lambda one: _PLACEHOLDER_WORDS.get(one.kind, f"<{one.kind.lower()}>"))
    named = _HANDLE.sub(" ", _URL.sub(" ", named)).replace("\u2019", "'").replace("&amp;", "&")
    return " ".join(_FLIGHT.sub("<flight>", named.lower()).split())


def features_of(text: str) -> frozenset[str]:
    """List a message's features: its words, pairs of neighbours, stems of five letters, and cues."""
    flat = flatten(text)
    words = ["<num>" if word.isdigit() else word.replace("'", "") for word in _WORD.findall(flat)]
    found = {"bias"}
    found.update(f"w:{word}" for word in words)
    found.update(f"s:{word[:_STEM_CHARACTERS]}" for word in words if len(word) > _STEM_CHARACTERS)
    found.update(f"b:{left} {right}" for left, right in zip(["^", *words], [*words, "$"], strict=True))
    cues = cues_in(flat)
    found.update(f"c:{cue}" for cue in cues - _UNWEIGHED)
    found.update(f"n:{cue}" for cue in _TELLING_BY_ABSENCE - cues)
    return frozenset(found)


@lru_cache(maxsize=_CACHED_TEXTS_MAX)
def classify(text: str) -> Intent:
    """Classify one message. Texts are masked before any model sees them, so the cache holds no secret."""
    weights = load_weights()
    scores = [0.0] * len(LABELS)
    for feature in features_of(text):
        row = weights.get(feature)
        if row is not None:
            for index, weight in enumerate(row):
                scores[index] += weight
    top = max(scores)
    exponents = [math.exp((score - top) / WEIGHT_UNIT) for score in scores]
    best = max(range(len(LABELS)), key=exponents.__getitem__)
    return Intent(LABELS[best], exponents[best] / sum(exponents))


_SURE = 0.9
_SURE_OF_OURS = 0.65
_PERSONAL = re.compile(r"\b(?:my|our|i|i'm|im|we|we're|she|he|her|his|us|me|in the family)\b")
_LEFT_BY_AIRLINE = re.compile(r"\b(?:stranded|tarmac|denied boarding|bumped|oversold|overbook\w*)\b")
_HYPOTHETICAL = re.compile(
    r"^(?:what|how|do|does|is|are|can|where|which|when|may|will)\b.{0,60}\b(?:if|polic\w+|rules?|allowed|fees?|cost|"
    r"how much|in general|provide|offer|accept|happens)\b|"
    r"^(?:if|suppose|say|in case)\b[^.?!]{5,80},? "
    r"(?:what|how|who|where|when|do|does|is|are|can|will|would|should)\b[^.?!]*\?$"
)
_MUST_REACH_A_HUMAN = (
    "human",
    "lost_bag",
    "damaged",
    "left_item",
    "bereavement",
    "medical",
    "complaint",
    "refund_dispute",
)
"""Cues that call for a person whatever else a message says, in the order of the airline's list."""


@lru_cache(maxsize=_CACHED_TEXTS_MAX)
def read(text: str) -> Intent:
    """Classify one message; what is on the airline's list for humans goes to one, by rule and not by odds."""
    text = without_robot_question(text)
    likely = classify(text)
    flat = flatten(text)
    if (
        likely.label in {"faq", "booking"}
        and likely.confidence < _SURE_OF_OURS
        and not cues_in(flat) & {"ours", "ours_perhaps"}
        and "<" not in flat
    ):
        likely = Intent("off_topic", 1 - likely.confidence)
    if likely.label == "escalation" and _is_other_trades(flat):
        return Intent("off_topic", _SURE)
    if likely.label == "escalation" and _tells_of_other_damage(flat):
        return Intent("booking" if "change" in cues_in(flat) else "faq", _SURE_OF_OURS)
    if likely.label == "escalation" and _is_praise(flat):
        return Intent("smalltalk", _SURE)
    if likely.label == "escalation" or (likely.label == "off_topic" and likely.confidence >= _SURE):
        return likely
    reason = urgent_cue(flat)
    return Intent("escalation", _SURE) if reason is not None else likely


def _is_other_trades(flat: str) -> bool:
    """Check whether a complaint is another trade's: a bank's, a shop's, a railway's, and not one word of a journey."""
    cues = cues_in(flat)
    if cues & {"ours", "human", "medical", "bereavement"} or _LEFT_BY_AIRLINE.search(flat):
        return False
    return bool(cues & {"bank", "shop"}) or ("other_travel" in cues and "compensation" not in cues)


def praises_us(text: str) -> bool:
    """Check whether a message says something kind of the airline's people, and nothing else."""
    flat = flatten(text)
    return _OF_OUR_PEOPLE.search(flat) is not None and _is_praise(flat)


def _is_praise(flat: str) -> bool:
    """Check whether a message thanks with a kind word and holds no word of a complaint, a need or a question."""
    cues = cues_in(flat)
    is_kind = "praise" in cues and ("thanks" in cues or _OF_OUR_PEOPLE.search(flat) is not None)
    return is_kind and not (cues & _OF_A_COMPLAINT or "?" in flat or _NEGATED.search(flat))


_OF_OUR_PEOPLE = re.compile(
    r"\b(?:your|the) (?:\w+ )?(?:crew|staff|team|pilots?|attendants?|steward\w*|agents?|people)\b"
)
_NEGATED = re.compile(r"\b(?:not|never|no|nobody|hardly|\w+n'?t)\b")


_OF_A_COMPLAINT = frozenset(
    {
        "angry", "human", "lost_bag", "damaged", "left_item", "bereavement", "medical", "compensation", "refund",
        "refund_dispute", "complain", "complaint", "waiting", "stuck", "again",
    }
)  # fmt: skip


def calls_for_person(text: str) -> bool:
    """Check whether any word of a message is one of a complaint, a loss, a need or a wish for a person.

    The classifier alone is no reason to apologise: it finds complaints in corrections and automatic replies.
    """
    return bool(cues_in(flatten(text)) & _OF_A_COMPLAINT)


_OF_THINGS = re.compile(
    r"\b(?:laptop|phone|tablet|battery|charger|power ?bank|headphones?|camera|car|app|screen|watch|kindle)s?"
    r"(?: (?:has|have|is|are|was|just|already|nearly|almost|keeps?))* (?:died|dead|dying)\b|"
    r"\b(?:(?:the|a|my|window) )+blinds?(?= (?:is|was|are|won'?t|doesn'?t|at|next|of|on|stuck|broke\w*|down|up))"
)
"""Things that die, and blinds at windows: nobody is bereaved or blind by them."""


def urgent_cue(flat: str) -> str | None:
    """Name what in a flattened message must reach a human; None when nothing must, or when it is only asked about."""
    cues = cues_in(_OF_THINGS.sub(" ", without_robot_question(flat)))
    if "human" in cues:
        return "human"
    if "damaged" in cues and _tells_of_other_damage(flat):
        cues -= {"damaged"}
    if not _PERSONAL.search(flat) or _HYPOTHETICAL.search(flat):
        return None
    return next((cue for cue in _MUST_REACH_A_HUMAN if cue in cues), None)


_OF_THIS_TRIP = re.compile(
    r"\b(?:you|your|u|ur|flights?|flew|airline\w*|airport|plane|belt|carousel|claim|landed|landing|arriv\w+|crew|gate|"
    r"counter|checked|check-?in|handlers?|destination|trip|home|today|yesterday|tonight|still|report\w*|<flight>|"
    r"this (?:morning|afternoon|evening)|came (?:back|out))\b"
)
_SENTENCE = re.compile(
    r"(?<=[.!?])\s+|[;:,]\s+(?=(?:so|but|now|please|can|could|may|how|what|when|where|which|is|do)\b)"
)
_ASKS_OR_WISHES = re.compile(
    r"\?$|\b(?:please|add|change|move|book|want|need|would like|i'd like|can i|could i|may i|"
    r"how (?:much|many|big|large|heavy))\b"
)


def _tells_of_other_damage(flat: str) -> bool:
    """Check whether a damage is only told on the way to a wish or question: "my case broke, so add a bag".

    It is when nothing in its sentence ties it to the airline or to a trip under way.
    """
    sentences = _SENTENCE.split(flat)
    of_damage = [one for one in sentences if "damaged" in cues_in(one)]
    others = [one for one in sentences if one not in of_damage]
    is_of_trip = any(map(_OF_THIS_TRIP.search, of_damage))
    return "damaged" in cues_in(flat) and not is_of_trip and any(map(_ASKS_OR_WISHES.search, others))


@cache
def load_weights() -> dict[str, list[int]]:
    """Read the shipped weights: feature to one weight per label, in hundredths."""
    return cast("dict[str, list[int]]", read_shipped()["weights"])


def read_shipped() -> dict[str, Any]:
    """Read what training wrote: labels, weights, and the fingerprint of what they were trained on."""
    written = resources.files("worker.domains.airline.local").joinpath("weights.json").read_text(encoding="utf-8")
    return cast("dict[str, Any]", json.loads(written))
