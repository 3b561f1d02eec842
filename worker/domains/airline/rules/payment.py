"""Decide how a change is paid: we validate the intent; an external processor takes the money."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from worker.conversation.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.domains.airline.records.backend import PaymentMethod, Reservation


def choose_payment(
    methods: Sequence[PaymentMethod], wanted: int | None, amount_usd: int
) -> PaymentMethod | Refusal | None:
    """Choose what an amount is charged to: the method wanted, else the first card, else what covers it.

    None when nothing is to be paid. A gift card or certificate must cover the whole amount: one change is one payment.
    """
    if amount_usd <= 0:
        return None
    if wanted is not None:
        method = next((m for m in methods if m.number == wanted), None)
        if method is None:
            known = ", ".join(f"{m.number}: {describe_payment(m)}" for m in methods) or "none"
            return Refusal(
                "no_such_payment_method", f"That way to pay is not on file. On file are {known}.", counts=False
            )
        return method if _covers(method, amount_usd) else _too_little(method, amount_usd)
    covering = [m for m in methods if _covers(m, amount_usd)]
    cards = [m for m in covering if m.kind == "card"]
    if covering:
        return (cards or covering)[0]
    return Refusal(
        "no_payment_method",
        f"This costs ${amount_usd}, and on file is no card, and no gift card or certificate that covers it.",
    )


def refund_method(reservation: Reservation) -> PaymentMethod | None:
    """Return where a difference is paid back to: the way to pay that most of the booking was paid with."""
    paid: Counter[int] = Counter()
    for payment in reservation.payments:
        if payment.method_number is not None:
            paid[payment.method_number] += payment.amount_usd
    most = max(paid, key=lambda number: (paid[number], -number), default=None)
    return next((m for m in reservation.customer.payment_methods if m.number == most), None)


def methods_paid_with(reservation: Reservation) -> list[PaymentMethod]:
    """Return every way to pay that something of the booking was paid with."""
    used = {payment.method_number for payment in reservation.payments if payment.amount_usd > 0}
    return [method for method in reservation.customer.payment_methods if method.number in used]


def describe_payment(method: PaymentMethod) -> str:
    """Name a way to pay as a customer knows it."""
    if method.kind == "card":
        return f"the card ending in {method.last_four}"
    name = "gift card" if method.kind == "gift_card" else "certificate"
    return f"the {name} with ${method.balance_usd} on it"


def describe_price(price_usd: int, methods: Sequence[PaymentMethod]) -> str:
    """Describe what a change costs or gives back, as it stands in an offer: with the ways to pay that it uses."""
    named = " and ".join(describe_payment(method) for method in methods)
    if price_usd < 0:
        return f"with a refund of ${-price_usd} within 5 to 7 days to the original payment" + (named and f", {named}")
    if price_usd == 0:
        return "at no extra charge"
    return f"for ${price_usd} extra" + (named and f", charged to {named}")


def _covers(method: PaymentMethod, amount_usd: int) -> bool:
    return method.kind == "card" or (method.balance_usd or 0) >= amount_usd


def _too_little(method: PaymentMethod, amount_usd: int) -> Refusal:
    return Refusal(
        "balance_too_low",
        f"This costs ${amount_usd}, and {describe_payment(method)} does not cover it. Another way to pay is needed.",
    )
