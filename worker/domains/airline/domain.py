"""The airline, as the pipeline sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from worker.conversation.domain import Briefed, Domain
from worker.domains.airline.agents.facts import note_message
from worker.domains.airline.agents.graph import build_graph
from worker.domains.airline.agents.recalling import recall
from worker.domains.airline.agents.start import choose_start
from worker.domains.airline.claims import load_vocabulary
from worker.domains.airline.local.model import LocalModel
from worker.domains.airline.local.reading.cues import cues_in
from worker.domains.airline.local.reading.intent import flatten
from worker.domains.airline.store.airline import PostgresAirline
from worker.domains.airline.tools.approving import take_up

if TYPE_CHECKING:
    from schema.messages.escalation import Sentiment
    from worker.conversation.context import AirlineAgentContext

_FACTS: Final = ("passenger_name", "confirmation_number", "flight_number", "flight_date", "seat_number")
_UPSETTING: Final = frozenset(
    {"complain", "complaint", "lost_bag", "damaged", "bereavement", "stuck", "waiting", "refund_dispute"}
)


def brief(context: AirlineAgentContext, newest_words: str | None) -> Briefed:
    """Tell the person who takes over who travels where, and how the customer sounds; masked, as the context is."""
    facts = {name: str(value) for name in _FACTS if (value := getattr(context, name)) is not None}
    earlier = {f"earlier_{name}": text for name, text in context.facts.items()}
    return Briefed(facts | earlier, _sentiment(newest_words))


def _sentiment(newest_words: str | None) -> Sentiment | None:
    if newest_words is None:
        return None
    cues = cues_in(flatten(newest_words))
    if "angry" in cues:
        return "angry"
    return "upset" if cues & _UPSETTING else "calm"


AIRLINE: Final = Domain(
    name="airline",
    build_graph=build_graph,
    choose_start=choose_start,
    note_message=note_message,
    recall=recall,
    brief=brief,
    take_up=take_up,
    vocabulary=load_vocabulary(),
    local_model=LocalModel,
    open_backend=PostgresAirline,
)
