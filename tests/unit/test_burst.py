"""Promises of gathering a burst: what belongs together, whether more may, and how long to wait for it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.fernet import Fernet

from runtime.sealing import Sealer
from schema.ids import ConversationKey
from schema.messages.inbound import SENDER_VERIFIED_KEY, TEXT_CHARACTERS_MAX, Inbound
from schema.settings import Settings
from worker.conversation.context import AirlineAgentContext
from worker.pipeline.burst import gather
from worker.pipeline.outcome import OpenedMessage, Snapshot

KEY = ConversationKey("default", "c")
SEALER = Sealer([Fernet.generate_key().decode()])
OTHER_SEALER = Sealer([Fernet.generate_key().decode()])
SETTINGS = Settings(burst_messages_max=3, burst_seconds_max=30, burst_quiet_seconds={"sms": 2})


def inbound(position: int, **changes: Any) -> Inbound:
    values = {"channel": "sms", "sender": "+15550100", "text": "hello", **changes}
    return Inbound(message_id=f"m{position}", tenant=KEY.tenant, conversation=KEY.conversation, **values)


def message(**changes: Any) -> OpenedMessage:
    made = inbound(1, **changes)
    return OpenedMessage(KEY, 1, made, SEALER.seal(made.model_dump_json()), 1)


def row(position: int, seconds_after: float = 1, *, sealer: Sealer = SEALER, **changes: Any) -> dict[str, Any]:
    payload = sealer.seal(inbound(position, **changes).model_dump_json())
    return {"message_id": f"m{position}", "position": position, "payload": payload, "seconds_after": seconds_after}


def snapshot(*followers: dict[str, Any], last_position: int | None = None, waited_seconds: float = 1) -> Snapshot:
    return Snapshot(
        version=0,
        owner="bot",
        last_position=last_position or 1 + len(followers),
        done_position=0,
        last_sequence=0,
        last_ordinal=0,
        last_agent=None,
        context=AirlineAgentContext(),
        vault={},
        state="accepted",
        read_at=datetime(2026, 1, 31, 12, tzinfo=UTC),
        accepted_at=datetime(2026, 1, 31, 12, tzinfo=UTC),
        waited_seconds=waited_seconds,
        items=[],
        unpublished=[],
        journal=[],
        followers=list(followers),
    )


def positions(burst: OpenedMessage) -> list[int]:
    return [each.position for each in burst.messages]


VOUCHED = {SENDER_VERIFIED_KEY: "true"}


@pytest.mark.parametrize(
    ("followers", "expected"),
    [
        ([], [1]),
        ([row(2), row(3)], [1, 2, 3]),
        ([row(3)], [1]),
        ([row(2), row(4)], [1, 2]),
        ([row(2, channel="chat"), row(3)], [1]),
        ([row(2, sender="+15550101"), row(3)], [1]),
        ([row(2, metadata=VOUCHED)], [1]),
        ([row(2, sealer=OTHER_SEALER), row(3)], [1]),
        ([row(2, text="x" * (TEXT_CHARACTERS_MAX - 5))], [1, 2]),
        ([row(2, text="x" * (TEXT_CHARACTERS_MAX - 4))], [1]),
    ],
)
def test_what_follows_without_a_gap_from_one_hand_belongs_together(
    followers: list[dict[str, Any]], expected: list[int]
) -> None:
    burst, _ = gather(message(), snapshot(*followers), SEALER, SETTINGS)

    assert positions(burst) == expected


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (snapshot(), True),
        (snapshot(row(2)), True),
        (snapshot(row(2), row(3)), False),  # full
        (snapshot(row(2, channel="chat")), False),  # what comes next follows another
        (snapshot(last_position=2), False),  # another is there, and too late for it
        (snapshot(waited_seconds=29.9), True),
        (snapshot(waited_seconds=30), False),
    ],
)
def test_a_burst_is_open_while_what_comes_next_would_belong_to_it(known: Snapshot, expected: bool) -> None:  # noqa: FBT001 - pytest's form
    burst, _ = gather(message(), known, SEALER, SETTINGS)

    assert burst.is_open is expected


@pytest.mark.parametrize(
    ("channel", "known", "expected"),
    [
        ("sms", snapshot(waited_seconds=0.5), 1.5),
        ("sms", snapshot(waited_seconds=2), 0),
        ("sms", snapshot(waited_seconds=10), 0),
        ("sms", snapshot(row(2, 4), waited_seconds=5), 1),
        ("sms", snapshot(row(2, 29), waited_seconds=29.5), 0.5),  # and not 1.5: the first has waited long enough
        ("sms", snapshot(row(2), row(3), waited_seconds=1), 0),  # full
        ("chat", snapshot(waited_seconds=0), 0),
    ],
)
def test_a_channel_is_waited_for_until_it_has_been_quiet(channel: str, known: Snapshot, expected: float) -> None:
    _, quiet_seconds = gather(message(channel=channel), known, SEALER, SETTINGS)

    assert quiet_seconds == pytest.approx(expected)


@pytest.mark.parametrize(("attempts", "expected"), [(1, [1, 2]), (2, [1, 2]), (3, [1])])
def test_a_message_that_failed_twice_together_with_others_is_tried_alone(attempts: int, expected: list[int]) -> None:
    burst, quiet_seconds = gather(replace(message(), attempts=attempts), snapshot(row(2)), SEALER, SETTINGS)

    assert positions(burst) == expected
    assert (burst.is_open, quiet_seconds > 0) == (attempts < 3, attempts < 3)


def test_a_wait_that_a_burst_cannot_last_is_refused() -> None:
    with pytest.raises(ValueError, match="FTE_BURST_QUIET_SECONDS waits 31 s for quiet, over FTE_BURST_SECONDS_MAX=30"):
        Settings(burst_quiet_seconds={"sms": 31})
