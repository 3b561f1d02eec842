from __future__ import annotations

import pytest

from producer.collecting.entries import UnreadableEntry, read_entry
from schema.ids import event_id_of, ticket_id_of
from schema.keys import escalations_stream, events_stream, replies_stream
from schema.messages.escalation import Escalation
from schema.messages.event import Event
from tests.integration.publishing import KEY, NOW, reply


def test_an_entry_is_read_as_what_its_stream_carries() -> None:
    escalation = Escalation(
        ticket_id=ticket_id_of(KEY, 1),
        tenant="t",
        conversation="c-1",
        category="abuse",
        reason="r",
        summary="s",
        priority="high",
        answer_by=NOW,
        trace_id="trace_1",
        created_at=NOW,
    )
    event = Event(
        event_id=event_id_of(KEY, 1),
        tenant="t",
        conversation="c-1",
        name="conversation.taken_over",
        trace_id="trace_1",
        created_at=NOW,
    )

    for name, body in [
        (replies_stream("t", "sms"), reply(1)),
        (escalations_stream("t"), escalation),
        (events_stream("t"), event),
    ]:
        fields = {b"id": b"x", b"conversation": b"c-1", b"sequence": b"4", b"body": body.model_dump_json().encode()}
        entry = read_entry(name, b"1-0", fields)
        assert (entry.body, entry.sequence, entry.id, entry.entry_id) == (body, 4, "x", "1-0")


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({b"sequence": b"one"}, "ValueError"),
        ({b"body": b"secret"}, "body.: json_invalid"),
        ({b"body": b"\xff"}, "body.: json_invalid"),
        ({b"id": None}, "no field b'id'"),
        (
            {b"body": reply(1).model_dump_json().replace('"version":1', '"version":2').encode()},
            "version 2, and this release reads up to 1: read it with the release that wrote it",
        ),
    ],
)
def test_an_unreadable_entry_is_described_without_its_content(changed: dict[bytes, bytes | None], reason: str) -> None:
    fields = {b"id": b"x", b"conversation": b"c", b"sequence": b"1", b"body": reply(1).model_dump_json().encode()}
    given = {name: value for name, value in (fields | changed).items() if value is not None}

    with pytest.raises(UnreadableEntry) as refused:
        read_entry(replies_stream("t", "sms"), b"1-0", given)

    assert refused.value.reason == reason
    assert "secret" not in str(refused.value)
