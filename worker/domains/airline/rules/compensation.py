"""Decide about compensation for a disrupted trip: a certificate, only when asked for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from worker.conversation.refusal import Refusal

if TYPE_CHECKING:
    from worker.domains.airline.records.backend import Reservation

Complaint = Literal["cancelled_flight", "delayed_flight"]

CERTIFICATE_USD: dict[Complaint, int] = {"cancelled_flight": 100, "delayed_flight": 50}
"""Worth of the certificate for each passenger."""

_ASKING = re.compile(
    r"\b(compensat\w*|vouchers?|certificates?|goodwill|good will|reimburs\w*|make (it|this|that) up to (me|us)|"
    r"make up for|make amends|something (back )?for (the|my|our|this|all))\b",
    re.IGNORECASE,
)


def asks_for_compensation(text: str) -> bool:
    """Check whether a customer's message asks to be made up for something: nothing is offered to who does not ask."""
    return _ASKING.search(text) is not None


def certificate_for(reservation: Reservation, complaint: Complaint, *, asked: bool) -> int | Refusal:
    """Return the certificate due for a disruption, for all passengers together, or say why there is none.

    A delay counts after the booking has been changed or cancelled: who takes the delayed flight all the same gets none.
    """
    if not asked:
        return Refusal("not_asked", "Compensation is given to customers who ask for it.", counts=False)
    customer = reservation.customer
    if customer.membership == "regular" and not reservation.insured and reservation.cabin != "business":
        return Refusal(
            "not_eligible",
            "Compensation is for silver and gold members, for business class and for insured bookings, so I cannot "
            "grant any here.",
        )
    if reservation.certificates_usd > 0:
        return Refusal(
            "already_compensated",
            f"A certificate of ${reservation.certificates_usd} has already been given for this booking; about more, "
            "a colleague decides.",
        )
    return _check_disruption(reservation, complaint) or CERTIFICATE_USD[complaint] * len(reservation.passengers)


def _check_disruption(reservation: Reservation, complaint: Complaint) -> Refusal | None:
    statuses = {segment.status for segment in reservation.segments} | {flight.status for flight in reservation.given_up}
    if complaint == "cancelled_flight":
        if "cancelled" in statuses:
            return None
        return Refusal("no_such_disruption", "We have not cancelled any flight of this booking.")
    if "delayed" not in statuses:
        return Refusal("no_such_disruption", "No flight of this booking is recorded as delayed.")
    if reservation.changed_at is None and reservation.status != "cancelled":
        return Refusal(
            "change_or_cancel_first",
            "For a delayed flight, compensation is possible after the booking has been changed or cancelled.",
        )
    return None
