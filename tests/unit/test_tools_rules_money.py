"""The rules of bags, cabins and payment: what things cost, and who pays how."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.airline_stand_ins import (
    ADA,
    BACK,
    CARD,
    CERTIFICATE,
    CUSTOMER,
    GIFT_CARD,
    NOW,
    OUT,
    RESERVATION,
    flight_of,
)
from worker.conversation.refusal import Refusal
from worker.domains.airline.records.backend import Cabin, Fare, Membership, Payment, Reservation
from worker.domains.airline.rules.bags import FREE_BAGS, check_bags, free_bags, price_of_bags
from worker.domains.airline.rules.cabins import check_cabin, price_of_cabin
from worker.domains.airline.rules.payment import choose_payment, describe_price, methods_paid_with, refund_method

MEMBERSHIPS: tuple[Membership, ...] = get_args(Membership)
CABINS: tuple[Cabin, ...] = get_args(Cabin)
FLIGHTS = (flight_of(OUT), flight_of(BACK))


def code_of(refusal: object) -> str:
    assert isinstance(refusal, Refusal)
    assert refusal.message
    return refusal.code


def booking(
    membership: Membership = "regular", cabin: Cabin = "economy", bags: int = 0, people: int = 1
) -> Reservation:
    travellers = tuple(replace(ADA, number=number) for number in range(1, people + 1))
    customer = replace(CUSTOMER, membership=membership)
    return replace(RESERVATION, customer=customer, cabin=cabin, checked_bags=bags, passengers=travellers)


@pytest.mark.parametrize(
    ("membership", "allowances"), [("regular", (0, 1, 2)), ("silver", (1, 2, 3)), ("gold", (2, 3, 4))]
)
def test_free_bags_are_given_by_membership_and_cabin(membership: Membership, allowances: tuple[int, ...]) -> None:
    assert tuple(free_bags(booking(membership, cabin)) for cabin in CABINS) == allowances
    assert tuple(free_bags(booking(membership, cabin, people=3)) for cabin in CABINS) == tuple(
        3 * allowance for allowance in allowances
    )


@pytest.mark.parametrize(
    ("before", "additional", "price_usd"), [(0, 1, 0), (0, 2, 0), (1, 2, 50), (2, 1, 50), (3, 2, 100), (0, 5, 150)]
)
def test_only_bags_beyond_the_free_ones_cost_50_dollars_each(before: int, additional: int, price_usd: int) -> None:
    assert price_of_bags(booking(bags=before, people=2), additional) == price_usd


@given(st.sampled_from(MEMBERSHIPS), st.sampled_from(CABINS), st.integers(0, 20), st.integers(1, 20), st.integers(1, 5))
def test_bags_cost_the_same_one_by_one_as_all_at_once(
    membership: Membership, cabin: Cabin, before: int, additional: int, people: int
) -> None:
    reservation = booking(membership, cabin, before, people)
    one_by_one = [price_of_bags(replace(reservation, checked_bags=before + added), 1) for added in range(additional)]

    assert price_of_bags(reservation, additional) == sum(one_by_one)
    assert all(price in {0, 50} for price in one_by_one)
    paid = before + additional - FREE_BAGS[membership][cabin] * people
    assert sum(one_by_one) <= 50 * max(0, paid)


@pytest.mark.parametrize(
    ("reservation", "additional", "code"),
    [
        (booking(), 0, "bags_never_removed"),
        (booking(bags=3), -1, "bags_never_removed"),
        (booking(bags=9), 2, "too_many_bags"),
        (replace(booking(), status="cancelled"), 1, "reservation_cancelled"),
        (replace(booking(), segments=(replace(OUT, status="landed"),)), 1, "flight_departed"),
        (replace(booking(), segments=(replace(OUT, status="cancelled"),)), 1, "flight_departed"),
    ],
)
def test_bags_that_cannot_be_added_are_refused(reservation: Reservation, additional: int, code: str) -> None:
    assert code_of(check_bags(reservation, additional, NOW)) == code


def test_bags_can_be_added_while_a_flight_is_ahead() -> None:
    assert check_bags(booking(bags=9), 1, NOW) is None
    assert check_bags(booking(), 1, BACK.departs_at - timedelta(seconds=1)) is None
    assert check_bags(booking(), 1, BACK.departs_at) is not None


@pytest.mark.parametrize(("cabin", "difference_usd"), [("business", 1200), ("basic_economy", -160)])
def test_a_cabin_costs_the_difference_for_everybody_on_all_flights(cabin: Cabin, difference_usd: int) -> None:
    assert price_of_cabin(RESERVATION, cabin, FLIGHTS) == difference_usd


def test_the_difference_is_to_what_was_paid_not_to_what_the_old_cabin_costs_now() -> None:
    paid_less = replace(RESERVATION, segments=(replace(OUT, price_usd=100), BACK))

    assert price_of_cabin(paid_less, "business", FLIGHTS) == 1200 + 2 * 110


@pytest.mark.parametrize("fares", [(), (Fare("business", 1, 500),), (Fare("business", 0, 500),)])
def test_a_cabin_without_a_seat_for_everybody_on_every_flight_is_refused(fares: tuple[Fare, ...]) -> None:
    flights = (FLIGHTS[0], replace(FLIGHTS[1], fares=fares))

    refusal = price_of_cabin(RESERVATION, "business", flights)

    assert code_of(refusal) == "no_seats_left"
    assert "LF119" in getattr(refusal, "message", "")


@pytest.mark.parametrize(
    ("reservation", "cabin", "code"),
    [
        (RESERVATION, "economy", "already_yours"),
        (replace(RESERVATION, status="cancelled"), "business", "reservation_cancelled"),
        (replace(RESERVATION, segments=(replace(OUT, status="landed"), BACK)), "business", "already_flown"),
        (replace(RESERVATION, segments=(OUT, replace(BACK, status="cancelled"))), "business", "flight_cancelled"),
    ],
)
def test_a_cabin_that_cannot_be_had_is_refused(reservation: Reservation, cabin: Cabin, code: str) -> None:
    assert code_of(check_cabin(reservation, cabin, NOW)) == code


def test_a_basic_economy_booking_may_move_to_another_cabin() -> None:
    assert check_cabin(replace(RESERVATION, cabin="basic_economy"), "economy", NOW) is None


@pytest.mark.parametrize(
    ("wanted", "amount_usd", "chosen"),
    [
        (None, 0, None),
        (2, -50, None),
        (None, 60, CARD),
        (1, 5_000, CARD),
        (2, 150, GIFT_CARD),
        (3, 60, CERTIFICATE),
        (2, 151, "balance_too_low"),
        (3, 61, "balance_too_low"),
        (9, 10, "no_such_payment_method"),
    ],
)
def test_a_way_to_pay_must_be_the_customers_and_cover_the_amount(
    wanted: int | None, amount_usd: int, chosen: object
) -> None:
    method = choose_payment(CUSTOMER.payment_methods, wanted, amount_usd)

    assert (method.code if isinstance(method, Refusal) else method) == chosen


@pytest.mark.parametrize(("amount_usd", "chosen"), [(60, GIFT_CARD), (150, GIFT_CARD), (151, "no_payment_method")])
def test_without_a_card_something_that_covers_the_amount_is_taken(amount_usd: int, chosen: object) -> None:
    method = choose_payment((GIFT_CARD, CERTIFICATE), None, amount_usd)

    assert (method.code if isinstance(method, Refusal) else method) == chosen


@given(st.integers(-500, 500), st.lists(st.sampled_from([CARD, GIFT_CARD, CERTIFICATE]), unique=True))
def test_no_balance_is_ever_overdrawn(amount_usd: int, methods: list[object]) -> None:
    method = choose_payment(methods, None, amount_usd)  # type: ignore[arg-type]

    if amount_usd <= 0:
        assert method is None
    elif not isinstance(method, Refusal):
        assert method is not None
        assert method.balance_usd is None or method.balance_usd >= amount_usd


def test_money_goes_back_to_what_most_of_the_booking_was_paid_with() -> None:
    payments = (Payment("gift_card", 300, "fare", 2), Payment("card", 200, "fare", 1), Payment("card", 50, "bags", 1))

    assert refund_method(replace(RESERVATION, payments=payments)) == GIFT_CARD
    assert refund_method(replace(RESERVATION, payments=(*payments, Payment("card", 60, "seat", 1)))) == CARD
    assert refund_method(replace(RESERVATION, payments=())) is None
    assert methods_paid_with(replace(RESERVATION, payments=payments)) == [CARD, GIFT_CARD]


def test_a_price_is_described_with_how_it_is_paid() -> None:
    assert describe_price(0, []) == "at no extra charge"
    assert describe_price(35, [CARD]) == "for $35 extra, charged to the card ending in 4242"
    assert describe_price(-120, [GIFT_CARD]) == (
        "with a refund of $120 within 5 to 7 days to the original payment, the gift card with $150 on it"
    )
