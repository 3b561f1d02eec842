"""Take the answer to what the airline's last words offered: a change of a booking, or a person."""

from __future__ import annotations

import re

from worker.domains.airline.local import phrases
from worker.domains.airline.local.reading.cues import cues_in
from worker.domains.airline.local.reading.intent import flatten, urgent_cue
from worker.domains.airline.local.reading.seats import find_preference, find_seat
from worker.domains.airline.local.reading.slots import declines, find_confirmation_number
from worker.domains.airline.local.reading.wishes import Wish, find_wish
from worker.domains.airline.local.situation import Situation
from worker.models.output import Call, Say, Step

ASKED_AGAIN_MAX = 2
"""Times in a row that an unclear answer to an offer is asked about; then a person decides."""

WISH_OF_KIND: dict[str, Wish] = {
    "seat_change": "seat_change", "flight_change": "change_flight", "cancellation": "cancel", "bags": "bags",
    "passenger_correction": "name", "cabin_change": "upgrade",
}  # fmt: skip
"""The wish that each kind of offer serves."""

KEEP = re.compile(r"\bnever ?mind\b|\bkeep\b|\bstay\b|\bleave it\b", re.IGNORECASE)
AFTER_ALL = re.compile(
    r"\b(?:yes|ok(?:ay)?|actually|fine|alright|please|hm+|go on|on second thoughts?|changed my mind)\b.{0,25}"
    r"\b(?:do (?:it|that|so)|please do|take it|go ahead|after all|make it|book it|go for it|"
    r"I(?:'ll| will) take (?:it|that))\b|"
    r"\b(?:do it|take it|go ahead|please do) (?:after all|anyway|please)\b",
    re.IGNORECASE,
)
"""Words by which an offer that was just turned down is wanted after all; a mere "ok" takes note of it."""

_FAREWELL = re.compile(
    r"\b(?:thanks|thank you|thx)\b.{0,20}\bfor (?:your|the|all|everything|helping|looking|trying|checking)\b|"
    r"\b(?:thanks|thank you) (?:anyway|anyhow|all the same|nevertheless)\b|"
    r"\b(?:bye|goodbye|good night|have a (?:nice|good|great|lovely) \w+|that(?:'?s| is| was| will be) all)\b",
    re.IGNORECASE,
)
"""Thanks that look back on the talk, or end it: they answer no offer."""

_SURE = 0.85
_TO_TRIAGE = "transfer_to_triage_agent"


def is_of_offer(wish: Wish | None, kind: str) -> bool:
    """Check whether a wish is none beside an offer of a kind: "yes, if the refund goes to my card" is of cancelling."""
    return wish is None or wish == WISH_OF_KIND.get(kind) or (kind == "cancellation" and wish == "refund")


_CONDITIONAL = re.compile(
    r"^\W*(?:(?:yes|yeah|yep|ok(?:ay)?|sure|fine|alright|good|well)\b\W*)+(?:but )?(?:only )?"
    r"(?:if|provided|providing|as long as|so long as|on (?:the )?condition|assuming|unless)\b",
    re.IGNORECASE,
)


def agrees_on_condition(message: str) -> bool:
    """Check whether a message says yes with a condition: it is asked for a plain yes, whatever the condition names."""
    return _CONDITIONAL.match(message) is not None


def accepts_person(situation: Situation) -> bool:
    """Check whether the newest message says yes to a colleague whom the last reply offered; a farewell does not."""
    is_offered = phrases.OFFERED_A_COLLEAGUE.search(situation.last_reply) is not None
    return is_offered and situation.facts.agrees_to_person and not _FAREWELL.search(situation.message)


def answer_offer(situation: Situation, *, wants_other: bool) -> Step | None:
    """Take the answer to an open offer; None when there is none, or the message is about something else.

    A yes is what the rule of the tools reads as one. An answer that is neither yes nor no, and nothing else either, is
    asked for again in other words, twice; then a person is called.
    """
    quote = situation.open_offer
    if quote is None:
        return None
    if quote.said_yes and situation.can("confirm_quote"):
        return Call("confirm_quote", {"quote_id": quote.quote_id})
    keeps = KEEP.search(situation.message) is not None and quote.was_just_offered
    is_of_it = is_of_offer(find_wish(situation.message), quote.kind)
    if (declines(situation.message) and not wants_other and is_of_it) or (keeps and "?" not in situation.message):
        return Say(phrases.drop_offer(situation.facts.seat_number if quote.kind == "seat_change" else None))
    if wants_other or not quote.was_just_offered or not _is_unclear(situation):
        return None
    if is_unclear_too_often(situation):
        can_hand_on = situation.can(_TO_TRIAGE) and not situation.was_called(_TO_TRIAGE)
        return Call(_TO_TRIAGE) if can_hand_on else None
    return Say(phrases.ask_again_for_yes(quote.summary, _times_asked_again(situation)))


def is_unclear_too_often(situation: Situation) -> bool:
    """Check whether an unclear answer to an offer has been asked about as often as it should be."""
    quote = situation.open_offer
    return (
        quote is not None
        and quote.was_just_offered
        and not quote.said_yes
        and _times_asked_again(situation) >= ASKED_AGAIN_MAX
        and _is_unclear(situation)
    )


def _times_asked_again(situation: Situation) -> int:
    """Count the airline's last replies in a row that asked for a plain yes or no."""
    said = [line.text for line in situation.lines if line.speaker == "airline"]
    times = 0
    while times < len(said) and phrases.ASKED_AGAIN.search(said[-1 - times]):
        times += 1
    return times


def _is_unclear(situation: Situation) -> bool:
    """Check whether a message leaves open what is wanted: it asks nothing, wishes nothing and calls for nobody."""
    message, flat = situation.message, flatten(situation.message)
    if agrees_on_condition(message):
        return True
    label, confidence = situation.intent
    kind = situation.open_offer.kind if situation.open_offer is not None else ""
    wish = find_wish(message)
    is_of_it = wish is None or (kind == "cancellation" and wish == "refund")
    if "?" in message or not is_of_it or find_confirmation_number(message):
        return False
    if find_seat(message) or find_preference(message) or urgent_cue(flat):
        return False
    if cues_in(flat) & {"human", "angry", "complaint", "trade", "brand", "policy", "how_question"}:
        return False
    return label != "escalation" or confidence < _SURE
