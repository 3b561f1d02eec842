"""The demo's checks must be able to fail."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from ops.demo.checks import CARD_DIGITS, NoSample, check_card, check_seat, plan_seat_change, seat_now
from ops.demo.conversations import SEAT_CONFIRMATION_NUMBER
from ops.seed import seed_airline
from runtime.database import EVERY_TENANT, Database, connect
from schema.settings import Settings

TODAY = date(2026, 1, 31)
NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def airline(settings: Settings) -> str:
    """Give a tenant with the sample airline."""
    tenant = "demo-checks"
    assert settings.database_url is not None
    with connect(settings.database_url) as connection, connection.transaction():
        connection.execute("SELECT set_config('fte.tenant', %s, true)", [EVERY_TENANT])
        connection.execute("INSERT INTO tenant (tenant_id) VALUES (%s)", [tenant])
        seed_airline(connection, tenant, TODAY)
    return tenant


async def put_into_table(database: Database, tenant: str, text: str) -> str:
    """Keep a text where a leak might be: with a dead letter of a conversation."""
    conversation = f"c-{tenant}"
    await database.read(
        EVERY_TENANT,
        "accept_message",
        tenant=tenant,
        conversation=conversation,
        message_id="m1",
        channel="chat",
        payload="sealed",
        sender_key=None,
        waiting_max=10,
    )
    await database.read(
        tenant,
        "bury_letter",
        tenant=tenant,
        conversation=conversation,
        message_id="m1",
        entry=None,
        reason=text,
        attempts=1,
        payload="sealed",
    )
    return conversation


@pytest.mark.parametrize("written", [CARD_DIGITS, "4111 1111 1111 1111", "4111-1111-1111-1111"])
async def test_a_card_number_in_a_table_is_found_however_it_is_written(
    database: Database, tenant: str, written: str
) -> None:
    conversation = await put_into_table(database, tenant, f"my card is {written}!")

    check = await check_card(database, tenant, conversation, published=[], logs=[])

    assert not check.passed
    assert "dead_letter" in check.text


async def test_a_card_number_in_a_stream_or_a_log_is_found(database: Database, tenant: str, tmp_path: Path) -> None:
    conversation = await put_into_table(database, tenant, "nothing")
    log = tmp_path / "worker-0.log"
    log.write_text('{"event": "4111 1111 1111 1111"}')

    in_stream = await check_card(database, tenant, conversation, published=["4111-1111-1111-1111"], logs=[])
    in_log = await check_card(database, tenant, conversation, published=[], logs=[log])
    nowhere = await check_card(database, tenant, conversation, published=["4111 1111"], logs=[])

    assert (in_stream.passed, in_log.passed, nowhere.passed) == (False, False, True)


async def test_a_seat_that_did_not_change_is_found(database: Database, airline: str) -> None:
    planned = await plan_seat_change(database, airline, now=NOW)

    check = await check_seat(database, airline, planned)

    assert planned.before == await seat_now(database, airline) != planned.wanted
    assert planned.wanted[-1] in "AF"
    assert not check.passed


async def test_a_flight_that_has_left_is_said_so(database: Database, airline: str) -> None:
    with pytest.raises(NoSample, match="left on"):
        await plan_seat_change(database, airline, now=NOW + timedelta(days=30))


async def test_a_tenant_without_the_sample_is_said_so(database: Database, tenant: str) -> None:
    with pytest.raises(NoSample, match=f"no booking {SEAT_CONFIRMATION_NUMBER}"):
        await plan_seat_change(database, tenant, now=NOW)
