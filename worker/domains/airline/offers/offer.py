"""An offer of any kind: what is put to the customer, and the effect of a yes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from worker.conversation.refusal import Refusal
from worker.domains.airline.rules.payment import choose_payment, describe_price, refund_method

if TYPE_CHECKING:
    from worker.conversation.context import TurnContext
    from worker.domains.airline.records.backend import PaymentMethod, Reservation
    from worker.domains.airline.records.booking import Booking

Kind = Literal[
    "seat_change", "flight_change", "cancellation", "bags", "passenger_correction", "cabin_change", "compensation"
]
Request = Mapping[str, Any]
"""What a tool was asked for, as JSON has it: enough to work the same offer out again."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A change that is possible now: in words before and after, its price, and the effect that makes it.

    `summary` begins with a verb and has no full stop; `done` is a sentence. `price_usd` is negative for a refund.
    `waived_usd` is what of a fee falls away.
    `query` and `change` make the effect, but for what all effects hold. `request` is what to work the offer out from
    when it is confirmed, `facts` what the conversation's context holds after it, `shown` what its tool tells besides.
    """

    summary: str
    done: str
    price_usd: int
    query: str
    change: Mapping[str, Any]
    request: Request
    waived_usd: int = 0
    new_terms: frozenset[str] = frozenset()
    ledger: Mapping[str, Any] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    shown: Mapping[str, Any] = field(default_factory=dict)


UNKNOWN_PAYMENT = Refusal(
    "no_payment_method", "I cannot see how this booking was paid, so a colleague has to make the refund."
)

Propose = Callable[["TurnContext", "Booking", Request], Awaitable[Offer | Refusal]]
"""Works an offer out for the verified booking as it is now."""


@dataclass(frozen=True, slots=True)
class Price:
    """What is due, in words, and the payment method it is taken from or given back to."""

    usd: int
    words: str
    method: PaymentMethod | None

    @property
    def method_number(self) -> int | None:
        """Return the method's number; None where no money moves."""
        return self.method.number if self.method else None


def settle(reservation: Reservation, wanted: int | None, price_usd: int) -> Price | Refusal:
    """Settle how a price is paid, or where a negative one goes back to."""
    if price_usd < 0:
        method = refund_method(reservation)
        if method is None:
            return UNKNOWN_PAYMENT
    else:
        chosen = choose_payment(reservation.customer.payment_methods, wanted, price_usd)
        if isinstance(chosen, Refusal):
            return chosen
        method = chosen
    return Price(price_usd, describe_price(price_usd, [method] if method else []), method)
