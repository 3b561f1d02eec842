"""What a channel has to know to send replies: compose them, send a part, and find out what became of one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from producer.delivery.schedule import RetrySchedule
    from runtime.channel_accounts import ChannelAccount
    from schema.channels import Channel
    from schema.messages.reply import Reply

SendKind = Literal["accepted", "absent", "retry", "unknown", "failed", "suppressed", "stopped"]
"""How an attempt went, or what was found out about one:

`accepted`: the provider has it. `absent`: it surely did not get there, and nothing speaks against sending it again now.
`retry`: it was surely not taken, and may be later. `unknown`: it may have got there; ask before it is sent again.
`failed`: it never will be; a person has to know. `suppressed`: the customer may not be written to. `stopped`: nothing
can be sent by this account until an operator has mended it.
"""


@dataclass(frozen=True)
class SendOutcome:
    """How an attempt went."""

    kind: SendKind
    provider_id: str | None = None
    """The provider's id, or the Message-ID."""
    code: str | None = None
    """HTTP's or SMTP's status, or the provider's error."""
    reason: str = ""
    """For people, without a customer's words or address."""
    after_seconds: float = 0.0
    """How long to wait at least before this is tried, or asked about, again."""
    pause_seconds: float = 0.0
    """How long nothing is sent by the account."""


@dataclass(frozen=True)
class ReplyRoute:
    """By which account, from which address of ours and in which conversation a reply goes out."""

    account: ChannelAccount
    conversation: str
    own_address: str
    own_group: str | None
    sender_key: str


@dataclass(frozen=True)
class ComposedPart:
    """One message that a reply is sent as."""

    content: str = field(repr=False)
    """Stored sealed, so that each attempt sends the same; bytes go into text by an encoding of the channel's own."""
    batch: int = 1
    """The first is sent at once, each further one when the customer asks for more."""


@dataclass(frozen=True)
class OutgoingPart:
    """What is handed to the provider in one attempt."""

    reply_id: str
    number: int
    """1, 2, 3 … in the order of sending."""
    content: str = field(repr=False)
    """As `compose` made it."""
    recipient: str = field(repr=False)
    attempt: int
    begun_at: datetime
    """When that attempt began, by PostgreSQL's clock."""
    now: datetime
    """The time, by the same clock."""


class ReplyChannel(Protocol):
    """What is special about a channel. No method raises for what a provider or a customer did."""

    @property
    def name(self) -> Channel:
        """Return which channel it is."""

    @property
    def schedule(self) -> RetrySchedule:
        """Return when it is tried again what was surely not taken, or of which nothing is known."""

    @property
    def send_seconds_max(self) -> float:
        """Return how long `send` and `resolve` take at most, together."""

    async def compose(self, reply: Reply, route: ReplyRoute) -> Sequence[ComposedPart]:
        """Return what a reply is sent as, in order; called once for a reply, unless its process died in it.

        Raises ValueError for a reply that cannot be composed, with a text for people.
        """

    async def send(self, part: OutgoingPart, route: ReplyRoute) -> SendOutcome:
        """Send one part."""

    def read_failure(self, code: str, attempts: int) -> SendOutcome:
        """Tell what a failure asks for that was told later, of a part that was taken: `retry`, `suppressed`, `failed`.

        `code` is the provider's error, or its state where it gives none; `attempts` how often the part was sent.
        """

    async def resolve(self, part: OutgoingPart, route: ReplyRoute) -> SendOutcome:
        """Find out what became of an attempt whose end nobody knows: `accepted`, `absent`, or still `unknown`."""
