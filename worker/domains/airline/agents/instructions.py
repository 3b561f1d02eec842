"""What the airline's agents know of a conversation when they are asked."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from worker.conversation.out_of_service import names_out_of_service
from worker.domains.airline.tools.answering import agrees, agrees_to_person, says_yes, was_just_offered

if TYPE_CHECKING:
    from worker.conversation.context import TurnContext


def write_known_facts(turn: TurnContext) -> str:
    """Write what is known as one line of JSON; its keys are a contract with models that read it.

    What is unknown, or not so, is left out: half of the keys are, in most turns.
    """
    airline = turn.airline
    quote: dict[str, Any] | None = None
    if airline.quote is not None:
        quote = {
            "quote_id": airline.quote.quote_id,
            "kind": airline.quote.kind,
            "summary": airline.quote.details.get("summary", ""),
            "price_usd": airline.quote.price_usd,
            "was_just_offered": was_just_offered(turn, airline.quote),
            "said_yes": says_yes(turn, airline.quote),
        }
    found = turn.looked_up.passages
    published = {"rank": round(found[0].rank, 2), "section": found[0].source} if found else None
    facts = {
        "passenger_name": airline.passenger_name,
        "confirmation_number": airline.confirmation_number,
        "verified": turn.is_verified,
        "flight_number": airline.flight_number,
        "flight_date": airline.flight_date,
        "seat_number": airline.seat_number,
        "seat_preference": airline.seat_preference,
        "issue_type": airline.issue_type,
        "ticket_id": airline.ticket_id,
        "quote": quote,
        "published": published,
        "agrees": agrees(turn),
        "agrees_to_person": agrees_to_person(turn),
        "turn_count": airline.turn_count,
        "earlier": airline.facts or None,
        "sender_verified": turn.verified_sender is not None,
        "today": turn.now.date().isoformat(),
        "weekday": f"{turn.now:%A}",
        "out_of_service": names_out_of_service(turn) or None,
    }
    return json.dumps(
        {key: value for key, value in facts.items() if value is not None and value is not False}, ensure_ascii=False
    )
