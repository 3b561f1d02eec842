"""Test what a call costs, and when a tenant's day is spent."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from pydantic import ValidationError

from schema.settings import Settings
from schema.settings.models import ModelPrice
from worker.models.ledger import READ_AGAIN_SECONDS, Ledger, Spending
from worker.models.prices import Tokens, cost_usd, estimate_tokens

TODAY = date(2026, 3, 1)
PRICE = ModelPrice(input=Decimal(2), cached_input=Decimal("0.2"), output=Decimal(10))


class Book:
    """Stand in for the database's total of a tenant."""

    def __init__(self, spent: str, ceiling: str | None = None) -> None:
        self.day = TODAY
        self.spent = Decimal(spent)
        self.ceiling = None if ceiling is None else Decimal(ceiling)

    async def read(self, tenant: str) -> Spending:
        return Spending(self.day, self.spent, self.spent, self.ceiling)


def settled(before: str, after: str, *, day: date = TODAY) -> Spending:
    return Spending(day, Decimal(before), Decimal(after))


def test_cached_input_has_its_own_price() -> None:
    assert cost_usd(Tokens(1_000, 400, 100), PRICE) == Decimal("0.00228")


def test_cached_input_costs_as_much_as_other_input_where_the_table_does_not_say() -> None:
    assert cost_usd(Tokens(1_000, 400, 0), ModelPrice(input=Decimal(2), output=Decimal(10))) == Decimal("0.002")


def test_a_model_without_a_price_costs_nobody_knows_what() -> None:
    assert cost_usd(Tokens(1_000, 0, 100), None) is None


def test_a_calls_tokens_are_guessed_from_all_that_is_sent() -> None:
    short = estimate_tokens({"system_instructions": "x" * 400, "input": "y" * 40, "tools": [], "handoffs": []})
    long = estimate_tokens(
        {"system_instructions": "x" * 400, "input": [{"y": "z" * 4_000}], "tools": [1], "handoffs": [1]}
    )

    assert short.input == 110
    assert 1_400 < long.input < 1_500


@pytest.mark.parametrize(("of_all", "own", "has_room"), [("10", "9.8", False), ("9", "10", True), (None, "9.8", False)])
async def test_a_tenants_own_ceiling_stands_above_the_one_of_all(
    of_all: str | None, own: str, *, has_room: bool
) -> None:
    ledger = Ledger(None if of_all is None else Decimal(of_all), Book("9.5", own).read)

    assert await ledger.has_room("acme", Decimal("0.4"), 0) == has_room


async def test_a_ceiling_that_is_changed_holds_within_seconds_also_for_a_busy_tenant() -> None:
    book = Book("9", "10")
    ledger = Ledger(None, book.read)

    before = await ledger.has_room("acme", Decimal("0.5"), 0)
    book.ceiling = Decimal("9.2")
    for second in range(1, 6):
        ledger.settle("acme", settled("9", "9"), second)
    after = await ledger.has_room("acme", Decimal("0.5"), 5.1)

    assert (before, after) == (True, False)


async def test_a_tenant_has_room_until_the_next_call_would_pass_the_ceiling() -> None:
    ledger = Ledger(Decimal(10), Book("9.5").read)

    assert await ledger.has_room("acme", Decimal("0.5"), 0)
    assert not await ledger.has_room("acme", Decimal("0.51"), 0)


async def test_calls_under_way_count_as_long_as_they_are() -> None:
    ledger = Ledger(Decimal(10), Book("9").read)
    await ledger.has_room("acme", Decimal(0), 0)

    with ledger.reserving("acme", Decimal("0.8")):
        assert not await ledger.has_room("acme", Decimal("0.3"), 0)
    assert await ledger.has_room("acme", Decimal("0.3"), 0)


async def test_a_finished_call_counts_before_its_record_is_read() -> None:
    ledger = Ledger(Decimal(10), Book("9").read)
    await ledger.has_room("acme", Decimal(0), 0)

    ledger.spend("acme", Decimal("0.9"))

    assert not await ledger.has_room("acme", Decimal("0.2"), 0)


async def test_what_other_processes_spent_is_read_anew_when_the_total_is_old() -> None:
    book = Book("0")
    ledger = Ledger(Decimal(10), book.read)
    assert await ledger.has_room("acme", Decimal(1), 0)

    book.spent = Decimal(10)

    assert await ledger.has_room("acme", Decimal(1), READ_AGAIN_SECONDS)
    assert not await ledger.has_room("acme", Decimal(1), READ_AGAIN_SECONDS + 0.1)


async def test_the_warning_comes_with_the_call_that_passes_four_fifths_and_with_no_other() -> None:
    ledger = Ledger(Decimal(10), Book("0").read)

    warnings = [ledger.settle("acme", settled(*step), 0) for step in [("0", "7.9"), ("7.9", "8.1"), ("8.1", "9")]]

    assert [[name for name, _ in events] for events in warnings] == [[], ["spend.warning"], []]


async def test_a_spent_day_is_told_once_and_the_next_one_begins_at_nothing() -> None:
    book = Book("10")
    ledger = Ledger(Decimal(10), book.read)
    assert not await ledger.has_room("acme", Decimal(1), 0)

    assert [name for name, _ in ledger.tell_exhausted("acme")] == ["spend.exhausted"]
    assert ledger.tell_exhausted("acme") == []

    ledger.settle("acme", settled("0", "0", day=date(2026, 3, 2)), 0)
    assert await ledger.has_room("acme", Decimal(1), 0)
    assert len(ledger.tell_exhausted("acme")) == 1


async def test_one_tenants_spending_is_no_other_tenants() -> None:
    ledger = Ledger(Decimal(10), Book("0").read)
    ledger.settle("acme", settled("0", "10"), 0)

    assert not await ledger.has_room("acme", Decimal(1), 0)
    assert await ledger.has_room("globex", Decimal(1), 0)


def test_a_ceiling_without_a_price_is_refused_at_the_start() -> None:
    asked = {"model": "openai:gpt-x", "OPENAI_API_KEY": "sk-test", "tenant_usd_per_day_max": 5}

    with pytest.raises(ValidationError, match="needs the price of FTE_MODEL in FTE_MODEL_PRICES"):
        Settings.model_validate(asked)
    Settings.model_validate({**asked, "model_prices": {"gpt-x": {"input": 1, "output": 8}}})
