"""Guesses at bookings are limited by sender and by booking, however many conversations they come in."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest

from schema.messages.inbound import SENDER_VERIFIED_KEY
from tests.integration.airline_worker import make_airline_worker
from tests.integration.senders import ADA, HELLO, Mail, reveals
from tests.integration.three_bookings import add_three_bookings

if TYPE_CHECKING:
    from runtime.sealing import Sealer
    from schema.settings import Settings
    from tests.integration.worker_harness import Harness


@pytest.fixture
async def desk(settings: Settings, sealer: Sealer, tenant: str) -> AsyncIterator[Harness]:
    """Run a worker with the airline's agents and the local model on three known bookings."""
    add_three_bookings(settings, tenant)
    harness = await make_airline_worker(settings, sealer, tenant)
    yield harness
    await harness.close()


async def guess(desk: Harness, conversation: str, sender: str, number: str, **metadata: str) -> str:
    text = f"I'm Sam Wrong and my confirmation number is {number}. Which seat do I have?"
    await desk.accept(conversation, text, sender=sender, metadata=metadata)
    await desk.drain(conversation)
    return str(next(r["text"] for r in reversed(await desk.replies()) if r["conversation"] == conversation))


async def counted(desk: Harness) -> list[int]:
    return sorted(row["guesses"] for row in await desk.query("SELECT guesses FROM guess"))


async def test_guesses_of_one_sender_are_counted_over_conversations(desk: Harness, settings: Settings) -> None:
    numbers = [f"ZZ{place}ZZ{place}" for place in range(settings.sender_guesses_per_day_max + 3)]

    for place, number in enumerate(numbers):
        await guess(desk, f"c{place}", "eve@example.com", number)

    assert (await counted(desk))[-1] == settings.sender_guesses_per_day_max
    stored = json.dumps(await desk.query("SELECT subject FROM guess"))
    assert not [number for number in numbers if number in stored]
    assert "eve" not in stored


async def test_guesses_at_one_booking_are_counted_whoever_makes_them_and_its_owner_gets_in_by_address(
    desk: Harness, settings: Settings
) -> None:
    for place in range(settings.booking_guesses_per_day_max + 3):
        await guess(desk, f"c{place}", f"eve{place}@example.com", "QK7P2M")
    counts = await counted(desk)

    stranger = Mail(desk, "right")
    late = await stranger.say("mallory@example.com", HELLO, "chat")
    owner = Mail(desk, "owner")
    own = await owner.say("ada@example.com", HELLO, "chat", metadata={SENDER_VERIFIED_KEY: "true"})

    assert counts[-1] == settings.booking_guesses_per_day_max
    assert reveals(late) == []
    assert "window seat" in own


async def test_a_right_guess_counts_for_nothing(desk: Harness) -> None:
    await Mail(desk).say(ADA, HELLO)

    assert await counted(desk) == []


async def test_many_guesses_at_once_are_no_more_than_allowed(desk: Harness, settings: Settings) -> None:
    conversations = [f"c{place}" for place in range(24)]
    for conversation in conversations:
        text = "I'm Sam Wrong and my confirmation number is QK7P2M. Which seat do I have?"
        await desk.accept(conversation, text, sender="eve@example.com")

    await asyncio.gather(*(desk.drain(conversation) for conversation in conversations))

    tools = await desk.query(
        "SELECT count(*) AS not_found FROM session_item WHERE item ->> 'output' LIKE '%%\"not_found\"%%'"
    )
    assert tools[0]["not_found"] == settings.sender_guesses_per_day_max
    assert await counted(desk) == [settings.sender_guesses_per_day_max] * 2


async def test_guesses_of_days_gone_by_are_removed(desk: Harness) -> None:
    await guess(desk, "c", "eve@example.com", "QK7P2M")
    await desk.query("UPDATE guess SET day = day - 2 RETURNING 1")

    removed = await desk.service.rescue.trimmer.trim_guesses()

    assert removed >= 2
    assert await counted(desk) == []
