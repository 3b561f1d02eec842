"""Test that the people of dialogues find their bookings."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ops.lab.evaluate.records import STRANGER, settle
from ops.lab.evaluate.sets import Dialogue
from ops.seed import seed_airline
from runtime.database import connect
from worker.domains.airline.rules.identity import find_passenger
from worker.domains.airline.store.airline import PostgresAirline

if TYPE_CHECKING:
    from runtime.database import Database
    from schema.settings import Settings

FACTS: list[dict[str, str]] = [
    {"name": "ericsson", "confirmation": "2G5D6H"},
    {"name": "Beatriz Salgado", "confirmation": "NV4TQ9"},
    {"user_id": "mia_rossi_1234"},
    {"confirmation": "K7PLQ3"},
    {},
]


async def test_each_person_is_a_customer_with_a_booking_under_their_name(
    settings: Settings, database: Database, tenant: str
) -> None:
    dialogues = [
        Dialogue.model_validate({"id": f"d{number}", "turns": [], "expect": {"facts": facts}})
        for number, facts in enumerate(FACTS)
    ]
    with connect(settings.database_url or "") as connection:
        seed_airline(connection, tenant, datetime.now(UTC).date())

        senders = settle(connection, tenant, dialogues)

    airline = PostgresAirline(database)
    for facts in FACTS[:2]:
        found = await airline.find_reservation(tenant, facts["confirmation"])
        assert found is not None
        assert find_passenger(found, facts["name"]) is not None
    theirs = await airline.find_reservations_of(tenant, senders[2])
    assert any(find_passenger(one, "Mia Rossi") for one in theirs)
    assert await airline.find_reservation(tenant, "K7PLQ3") is not None
    assert senders[4] == STRANGER
    assert len(set(senders)) == len(senders)
