"""Decide as the FAQ Agent: look it up, answer with the source, or say honestly that nothing was found."""

from __future__ import annotations

from typing import Any

from worker.domains.airline.local import phrases
from worker.domains.airline.local.answers import accepts_person
from worker.domains.airline.local.asking import FOUND_WELL_MIN, is_follow_up
from worker.domains.airline.local.lookups import CORRECTION, look_up, results_of, source_of
from worker.domains.airline.local.narrowing import asks_other_way
from worker.domains.airline.local.reading.intent import calls_for_person
from worker.domains.airline.local.reading.slots import declines, find_confirmation_number
from worker.domains.airline.local.situation import SOURCE, FinishedCall, Situation
from worker.domains.airline.local.smalltalk import answer_smalltalk, is_smalltalk
from worker.domains.airline.local.wanting import chooses_flight, takes_up_next
from worker.models.output import Call, Say, Step

SHORT_ANSWER_WORDS_MAX = 4
PASSAGES_QUOTED_MAX = 2
PART_RANK_MIN = 1.5
"""Rank from which a passage answers a part of a message by itself; a part says less than a whole."""
_SURE = 0.5
_TO_TRIAGE = "transfer_to_triage_agent"


def decide(situation: Situation) -> Step:
    """Choose the next step."""
    looked_up = [done for done in situation.done if done.name == "faq_lookup"]
    if looked_up and situation.latest is looked_up[-1]:
        return Say(_answer(looked_up))
    sent_here = "transfer_to_faq_agent" in situation.handoffs_made
    if not sent_here:
        step = _settle_otherwise(situation)
        if step is not None:
            return step
    if not situation.can("faq_lookup"):
        return Say(phrases.nothing_found())
    if asks_other_way(situation.message) and SOURCE in situation.last_reply and len(situation.customer_texts) > 1:
        return Call("faq_lookup", {"question": situation.customer_texts[-2]})
    return look_up(situation)


def _answer(looked_up: list[FinishedCall]) -> str:
    """Answer each question: with a passage, or with the word that none answers it.

    A part of a message is answered by itself where a passage surely does; what the whole of it is about comes first
    where a part has no answer of its own.
    """
    whole, *parts = looked_up
    of_whole = results_of(whole)
    answers = [(done, _surely(results_of(done))) for done in parts]
    told = [passage for _, passage in answers if passage is not None]
    if len(parts) == 1 and (of_whole or not _surely(results_of(parts[0]), FOUND_WELL_MIN)):
        told = []
    if not told:
        return _cite_all(of_whole[:PASSAGES_QUOTED_MAX]) or phrases.nothing_found()
    left = [done for done, passage in answers if passage is None]
    if left and of_whole:
        told.insert(0, of_whole[0])
        left = [done for done in left if source_of(of_whole[0]) not in map(source_of, results_of(done))]
    unknown = [str(done.arguments.get("question")) for done in left if "about" not in done.arguments]
    return "\n\n".join([_cite_all(told), *([phrases.some_not_found(unknown)] if unknown else [])])


def _surely(results: list[dict[str, Any]], rank_min: float = PART_RANK_MIN) -> dict[str, Any] | None:
    return results[0] if results and float(results[0].get("rank", rank_min)) >= rank_min else None


def _cite_all(results: list[dict[str, Any]]) -> str:
    return "\n\n".join(dict.fromkeys(map(phrases.cite, results)))


def _settle_otherwise(situation: Situation) -> Step | None:
    """Answer small talk, and hand back what is no question; None when it is one."""
    label, confidence = situation.intent
    refuses, offered = declines(situation.message), situation.open_offer
    offers_person = phrases.OFFERED_A_COLLEAGUE.search(situation.last_reply) is not None
    answers_offer = offered is not None and (offered.said_yes or refuses)
    answers_offer = answers_offer or chooses_flight(situation) or takes_up_next(situation)
    if answers_offer or situation.tells_name or accepts_person(situation) or (offers_person and refuses):
        return Call(_TO_TRIAGE) if situation.can(_TO_TRIAGE) else None
    goes_on = is_follow_up(situation.message) and situation.facts.published is not None
    if goes_on or CORRECTION.search(situation.message):
        return None
    is_nod = (refuses or situation.facts.agrees) and len(situation.message.split()) <= SHORT_ANSWER_WORDS_MAX
    if is_nod or label == "smalltalk" or is_smalltalk(situation):
        return answer_smalltalk(situation)

    if label == "off_topic" and confidence >= _SURE:
        return Say(phrases.decline_off_topic(booking_open=situation.facts.verified))
    is_complaint = label == "escalation" and calls_for_person(situation.message)
    is_elsewhere = (label == "booking" or is_complaint) and confidence >= _SURE
    if (is_elsewhere or find_confirmation_number(situation.message)) and situation.can(_TO_TRIAGE):
        return Call(_TO_TRIAGE)
    return None
