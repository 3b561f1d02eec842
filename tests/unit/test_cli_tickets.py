"""What `fte escalations` shows of a ticket."""

from __future__ import annotations

from datetime import UTC, datetime
from io import StringIO

from rich.console import Console

from ops.cli.ticket_page import brief_line, page_of_ticket
from schema.messages.escalation import Briefing, Escalation, TranscriptReference

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
TICKET = Escalation(
    ticket_id="T-7K2M9PQ4RS",
    tenant="acme",
    conversation="c1",
    category="unsupported_request",
    reason="bag lost",
    summary="wrote [b]bold[/b]",
    priority="high",
    answer_by=NOW,
    trace_id="trace_1",
    created_at=NOW,
    transcript=TranscriptReference(conversation="c1", first_position=1, last_position=4),
    briefing=Briefing(
        channel="sms",
        passenger_name="Ada Okafor",
        verified=True,
        confirmation_number="[CONFIRMATION_NUMBER_1]",
        flight_number="LF118",
        seat_number="14C",
        refused=["not_found"],
        sentiment="upset",
    ),
)


def shown(ticket: Escalation) -> str:
    out = StringIO()
    Console(file=out, width=100).print(page_of_ticket(ticket))
    return out.getvalue()


def test_a_ticket_shows_everything_on_one_page() -> None:
    page = shown(TICKET)

    for part in (
        "T-7K2M9PQ4RS",
        "high, answer by",
        "unsupported request",
        "Ada Okafor [CONFIRMATION_NUMBER_1] (verified)",
        "LF118, seat 14C",
        "not_found",
        "fte show c1 --tenant acme, up to message 4",
        "wrote [b]bold[/b]",
    ):
        assert part in page


def test_a_list_of_tickets_has_the_briefing_in_one_line() -> None:
    assert brief_line(TICKET) == (
        "Ada Okafor [CONFIRMATION_NUMBER_1] (verified) · LF118, seat 14C · customer upset · refused: not_found"
    )


def test_a_ticket_of_an_earlier_release_is_shown_as_far_as_it_goes() -> None:
    written = TICKET.model_dump(mode="json", exclude={"transcript", "briefing"})

    old = Escalation.model_validate(written)

    assert brief_line(old) == ""
    assert "fte show c1 --tenant acme" in shown(old)
