"""Read a load profile: phases of a load test, in TOML."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator, model_validator

from ops.lab.llm_sim.latency import read_latency
from schema.errors import FteError

LAG_MS_MAX_DEFAULT: Final = 100.0
MESSAGES_MAX: Final = 2_000_000
"""Most messages of one run: all of them are remembered until its end."""

_ROUNDING: Final = 1e-6
_SHIPPED: Final = Path(__file__).with_name("profiles")

Name = Annotated[str, StringConstraints(min_length=1, max_length=60)]


class InvalidProfile(FteError):
    """A load profile that cannot be read; the text names the file and every field that is wrong."""


class Phase(BaseModel):
    """A part of a load test in which the rate is steady, or changes evenly."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name
    seconds: float = Field(gt=0, le=604_800)
    rate: float = Field(ge=0, le=100_000, description="messages a second, at the beginning of the phase")
    rate_end: float | None = Field(default=None, ge=0, le=100_000, description="the same at its end; none: as at first")
    hot_share: float = Field(default=0, ge=0, le=1, description="part of its messages that hot conversations get")

    @property
    def last_rate(self) -> float:
        """Return the rate at the end of the phase."""
        return self.rate if self.rate_end is None else self.rate_end

    @property
    def messages(self) -> float:
        """Return how many messages fall due in the phase."""
        return (self.rate + self.last_rate) / 2 * self.seconds


class Profile(BaseModel):
    """A load test: who writes how often, phase after phase."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name
    phases: tuple[Phase, ...] = Field(min_length=1, max_length=200)
    conversations: int = Field(default=100, ge=1, le=1_000_000, description="customers who write at the same time")
    turns: int = Field(default=5, ge=1, le=1_000_000, description="messages of one, then the next takes the place")
    hot_conversations: int = Field(default=1, ge=1, le=10_000)
    arrivals: Literal["even", "random"] = Field(default="even", description="evenly spaced, or a Poisson process")
    seed: int = 1
    model_latency_ms: str | None = Field(default=None, description="A..B, the time of each model call")
    lag_ms_max: float = Field(default=LAG_MS_MAX_DEFAULT, gt=0, description="99th percentile of the generator's lag")
    watch_growth: bool = Field(default=False, description="whether growth is watched, and judged at the end")

    @property
    def seconds(self) -> float:
        """Return how long messages fall due."""
        return sum(phase.seconds for phase in self.phases)

    @field_validator("model_latency_ms")
    @classmethod
    def _is_latency(cls, value: str | None) -> str | None:
        if value is not None:
            read_latency(value)
        return value

    @model_validator(mode="after")
    def _has_messages(self) -> Self:
        messages = sum(phase.messages for phase in self.phases)
        if not 1 - _ROUNDING <= messages <= MESSAGES_MAX:
            raise ValueError(f"rates and durations make {messages:,.0f} messages; 1 to {MESSAGES_MAX:,} are allowed")
        return self


def steady_profile(
    *, conversations: int, turns: int, messages_per_second: float, seed: int = 1, model_latency_ms: str | None = None
) -> Profile:
    """Return the profile of one phase in which each conversation gets its messages; raises InvalidProfile."""
    phase = {"name": "steady", "seconds": conversations * turns / messages_per_second, "rate": messages_per_second}
    facts = {"name": "steady", "phases": [phase], "conversations": conversations, "turns": turns, "seed": seed}
    return parse_profile(facts | {"model_latency_ms": model_latency_ms}, "this load")


def shipped_profiles() -> list[str]:
    """Return the names of the profiles that come with the product."""
    return sorted(file.stem for file in _SHIPPED.glob("*.toml"))


def read_profile(file: str) -> Profile:
    """Read the profile in a file, or one that comes with the product, by its name; raises InvalidProfile."""
    path = _SHIPPED / f"{file}.toml" if file in shipped_profiles() else Path(file)
    try:
        facts = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidProfile(f"{file}: no TOML: {error}") from None
    except OSError as error:
        known = ", ".join(shipped_profiles())
        raise InvalidProfile(f"{file}: {error.strerror}; profiles that come along: {known}") from None
    return parse_profile(facts, file)


def parse_profile(facts: dict[str, Any], source: str) -> Profile:
    """Return a profile of its fields; raises InvalidProfile, which names the `source` and all that is wrong."""
    try:
        return Profile.model_validate(facts)
    except ValidationError as error:
        wrong = "; ".join(
            f"{_place(found['loc'])}{found['msg'].removeprefix('Value error, ').lower()}" for found in error.errors()
        )
        raise InvalidProfile(f"{source}: {wrong}") from None


def _place(path: tuple[int | str, ...]) -> str:
    """Return where a wrong field stands, as TOML's readers count: `phases[2].rate: `."""
    text = "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in path)
    return f"{text.removeprefix('.')}: " if text else ""
