"""The messages that one chaos run sends."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

from ops.lab.load.scripts import make_scripts
from schema.channels import CHANNELS
from schema.keys import escalations_stream, replies_stream
from schema.messages.inbound import Inbound

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ops.lab.load.scripts import BookingAccess

TENANT = "default"
STREAMS = (*(replies_stream(TENANT, channel) for channel in CHANNELS), escalations_stream(TENANT))
"""The outbound streams of the run."""


SILENCE_SECONDS_MAX = 40.0
BURST_PER_SECOND = 30
"""Turns per second of two cores: when all are under way together, none may have an answer before all have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How many messages one run sends, how fast, and to which conversations."""

    run: str
    """Prefix of the run's conversations, and of no other's."""
    conversations: int
    turns: int
    messages_per_second: float
    seed: int
    bookings: tuple[BookingAccess, ...]
    """One for each conversation that changes seats."""
    messages_max: int
    """At most this many messages where a run goes on for as long as its fault does."""
    copies: int = 0
    """How often each message is sent again once it is accepted, with one from before."""

    @property
    def silence_seconds_max(self) -> float:
        """Return how long to wait for the next reply before the rest counts as lost; a burst is answered at its end."""
        return SILENCE_SECONDS_MAX + self.conversations / BURST_PER_SECOND

    @property
    def messages(self) -> int:
        """Return the least number of messages sent."""
        return self.conversations * self.turns


def plan_messages(plan: Plan) -> Iterator[Inbound]:
    """Yield messages in the order of sending, without end: all first ones, all second ones, and so on."""
    scripts = make_scripts(plan.seed, plan.conversations, plan.turns, channels=CHANNELS, bookings=plan.bookings)
    texts = [script.texts for script in scripts]
    for number, booking in enumerate(plan.bookings[: plan.conversations]):
        texts[number] = _seat_changes(booking)
    for place in count():
        for number, script in enumerate(scripts):
            conversation = f"{plan.run}-{number}"
            yield Inbound(
                message_id=f"{conversation}-{place}",
                tenant=TENANT,
                conversation=conversation,
                channel=script.channel,
                sender=script.sender,
                subject=script.subject,
                text=texts[number][place % len(texts[number])],
            )


def _seat_changes(booking: BookingAccess) -> tuple[str, ...]:
    """Return texts that move a passenger back and forth: each yes is one effect, and must be one row."""
    named = f"{booking.first_name} {booking.surname}, {booking.confirmation_number}."
    return (
        f"{named} Please move me to a window seat",
        "yes please",
        f"{named} Now move me to an aisle seat",
        "yes please",
    )
