"""Every sample booking that is owed money when it is cancelled: the offer reaches the customer, and a yes makes it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from ops.seed import SAMPLES
from tests.integration.airline_worker import add_airline_with_articles, make_airline_worker
from worker.conversation.refusal import Refusal
from worker.domains.airline.rules.cancellation import CancellationReason, refund_of_cancellation
from worker.domains.airline.store.airline import PostgresAirline

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from runtime.database import Database
    from runtime.sealing import Sealer
    from schema.settings import Settings
    from tests.integration.worker_harness import Harness

REASONS: dict[CancellationReason, str] = {
    "change_of_plan": "my plans have changed",
    "health": "I am ill and cannot fly",
    "airline_cancelled": "you cancelled my flight",
}


@pytest.fixture(scope="module")
def airline(settings: Settings) -> str:
    return add_airline_with_articles(settings)


@pytest.fixture
async def desk(settings: Settings, sealer: Sealer, airline: str) -> AsyncIterator[Harness]:
    harness = await make_airline_worker(settings.model_copy(update={"model": "local"}), sealer, airline)
    yield harness
    await harness.close()


async def owed(database: Database, tenant: str, number: str) -> tuple[CancellationReason, int] | None:
    """Give the reason for which a booking may be cancelled now with money back, and how much; None for none."""
    reservation = await PostgresAirline(database).find_reservation(tenant, number)
    assert reservation is not None
    for reason in REASONS:
        refund = refund_of_cancellation(reservation, reason, datetime.now(UTC))
        if not isinstance(refund, Refusal) and refund > 0:
            return reason, refund
    return None


async def test_each_sample_that_is_owed_money_is_offered_it_and_gets_it(
    desk: Harness, database: Database, airline: str
) -> None:
    played = 0
    for sample in SAMPLES:
        number = sample.confirmation_number
        due = await owed(database, airline, number)
        if due is None:
            continue
        reason, refund = due
        conversation = f"refund-{number}"

        async def say(text: str, conversation: str = conversation) -> str:
            await desk.accept(conversation, text)
            await desk.drain(conversation)
            return str([reply["text"] for reply in await desk.replies() if reply["conversation"] == conversation][-1])

        surname = sample.passengers[0][1]
        offer = await say(f"I want to cancel my booking {number}, my surname is {surname}.")
        if f"${refund}" not in offer:
            offer = await say(REASONS[reason])
        assert f"refund of ${refund}" in offer, (number, offer)
        done = await say("yes")

        assert f"refund of ${refund}" in done, (number, done)
        booking = await PostgresAirline(database).find_reservation(airline, number)
        assert booking is not None
        assert booking.status == "cancelled", number
        played += 1
    assert played >= 7
