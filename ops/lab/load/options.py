"""What a load test is asked to do, and how far it is."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ops.lab.load.profile import LAG_MS_MAX_DEFAULT, Profile, steady_profile
from schema.channels import CHANNELS
from schema.ids import new_token

if TYPE_CHECKING:
    from ops.lab.load.http_gateway import GatewayAccess
    from ops.lab.load.scripts import BookingAccess
    from schema.channels import Channel


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadOptions:
    """What a load test sends, and how fast."""

    conversations: int = 100
    turns: int = 5
    """Messages of each conversation."""
    messages_per_second: float = 20
    seed: int = 1
    model_latency_ms: str | None = None
    """`A..B`: latency of the embedded models for each call; None: no latency."""
    profile: Profile | None = None
    """The phases of the load, in place of the figures above; None: one phase, at a steady rate."""
    bookings: tuple[BookingAccess, ...] = ()
    channels: tuple[Channel, ...] = CHANNELS
    tenant: str = "default"
    via_http: bool = False
    """Whether a gateway is started, and messages and replies go through it."""
    gateway: GatewayAccess | None = None
    """The HTTP gateway to go through; None: straight to the servers."""
    senders: int = 1
    """Processes that send; 1: this one, which reads the replies too."""
    lag_ms_max: float | None = None
    """Bound of the generator's lag; None: the profile's."""
    silence_seconds_max: float = 60
    """How long to wait, once all is sent, for the next reply before the run ends."""
    run: str = field(default_factory=lambda: new_token()[:8])
    """Part of every id: `load-<run>-<conversation>-<turn>`."""

    @property
    def phases(self) -> Profile:
        """Return the profile, which says who writes when."""
        return self.profile or steady_profile(
            conversations=self.conversations,
            turns=self.turns,
            messages_per_second=self.messages_per_second,
            seed=self.seed,
            model_latency_ms=self.model_latency_ms,
        )

    @property
    def lag_bound_ms(self) -> float:
        """Return the bound of the generator's lag, in milliseconds."""
        return self.lag_ms_max or (self.profile.lag_ms_max if self.profile else LAG_MS_MAX_DEFAULT)

    def without_latency(self) -> LoadOptions:
        """Return the same load without a latency of the embedded models, as where a provider has its own."""
        profile = self.profile.model_copy(update={"model_latency_ms": None}) if self.profile else None
        return replace(self, profile=profile, model_latency_ms=None)


@dataclass(frozen=True, slots=True)
class LoadProgress:
    """The progress of a load test."""

    messages: int
    """To be sent in all."""
    accepted: int
    answered: int
    escalations: int
