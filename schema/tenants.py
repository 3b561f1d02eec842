"""Settings of one tenant, as they are stored: what it sets for itself stands above the deployment's settings."""

from __future__ import annotations

from datetime import time
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, Literal, Self
from zoneinfo import available_timezones

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from schema.channels import CHANNELS, Channel
from schema.errors import FteError
from schema.ids import BRAND_PATTERN

PROMPT_LINES_MAX = 20


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones())


MODEL_PATTERN = r"^(local|openai:\S{1,100}|openai-chat:\S{1,100})$"
SilenceStep = Literal["remind", "reassign", "apologise"]
"""remind: an event tells of it · reassign: back to the queue · apologise: tell the customer."""
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

PromptLine = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f-\x9f{}]{1,300}$")]
"""One line added to the instructions of every agent; no braces, which stand for values there."""

CustomerText = Annotated[str, Field(min_length=1, max_length=300, pattern=r"^[^\x00-\x1f\x7f-\x9f{}]+$")]
"""Text that customers read within a sentence."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True, coerce_numbers_to_str=True)


class TenantLimits(_Part):
    """How much a tenant may ask for through HTTP, all of its keys together."""

    new_conversations_per_minute: int = Field(default=100, ge=1, le=1_000_000)
    messages_per_minute: int = Field(default=3_000, ge=1, le=10_000_000)
    streams: int = Field(default=20, ge=1, le=10_000, description="streams of events open at the same time")


class TenantCeilings(_Part):
    """What a tenant's model calls may cost."""

    usd_per_day: Decimal | None = Field(
        default=None, gt=0, le=1_000_000, description="UTC day; unset: FTE_TENANT_USD_PER_DAY_MAX"
    )


class TenantKnowledge(_Part):
    """How a tenant's articles are searched."""

    similarity_min: float | None = Field(
        default=None,
        ge=-1,
        le=1,
        description="from which a section is about a question to the embedding model; unset: "
        "FTE_EMBEDDING_SIMILARITY_MIN",
    )


class TenantRetention(_Part):
    """How long what is kept of a tenant stays; unset, or more than the deployment's: as long as the deployment says."""

    spans_days: int | None = Field(default=None, ge=1, le=3_650, description="unset: FTE_SPANS_DAYS")
    usage_days: int | None = Field(default=None, ge=1, le=3_650, description="unset: FTE_USAGE_DAYS")
    conversations_days: int | None = Field(default=None, ge=1, le=3_650, description="unset: FTE_CONVERSATIONS_DAYS")


class OpeningHours(_Part):
    """Hours of some days of the week, in the time zone of the escalation hours; midnight at the end is 24 hours."""

    days: tuple[Weekday, ...] = Field(min_length=1, max_length=7)
    opens: time
    closes: time

    @model_validator(mode="after")
    def _closes_after_it_opens(self) -> Self:
        if self.closes != time(0) and self.closes <= self.opens:
            raise ValueError(f"closes at {self.closes}, not after it opens at {self.opens}; 00:00 is midnight")
        return self


class EscalationHours(_Part):
    """When people answer what is handed to them."""

    time_zone: str = Field(default="UTC", max_length=64)
    hours: tuple[OpeningHours, ...] = Field(default=(), max_length=21, description="none: around the clock")

    @field_validator("time_zone")
    @classmethod
    def _is_known_zone(cls, value: str) -> str:
        if value not in _time_zones():
            raise ValueError("no such time zone; give a name of the IANA database, such as Europe/Berlin")
        return value


class TenantEpisodes(_Part):
    """When a conversation counts as completed."""

    idle_hours: dict[Channel, Annotated[float, Field(gt=0, le=8_760)]] = Field(
        default_factory=dict, description="silence that ends an episode; of channels left out: FTE_EPISODE_IDLE_HOURS"
    )


class TenantDesk(_Part):
    """How a tenant's human agents work."""

    lease_minutes: float = Field(
        default=15, gt=0, le=1_440, description="how long a claim holds that its person does not renew"
    )
    on_silence: tuple[SilenceStep, ...] = Field(
        default=("remind",), max_length=3, description="what happens when nobody answered in time"
    )
    apology_minutes: float = Field(
        default=60, gt=0, le=10_080, description="by when an apology says that somebody answers, in open hours"
    )
    tells_every_act: bool = Field(
        default=False, description="every act is an event; set it once whoever reads events is of this release"
    )


class TenantApprovals(_Part):
    """Which changes need a person's yes beside the customer's."""

    refund_usd_over: int | None = Field(
        default=None, ge=0, le=1_000_000, description="refunds of more than so many dollars; unset: none"
    )
    compensation_usd_over: int | None = Field(
        default=None, ge=0, le=1_000_000, description="certificates of more than so many dollars; unset: none"
    )
    waiver_usd_over: int | None = Field(
        default=None, ge=0, le=1_000_000, description="fees of more than so many dollars that fall away; unset: none"
    )
    decide_minutes: float = Field(
        default=240, gt=0, le=10_080, description="within which somebody decides, in open hours"
    )


class TenantSettings(_Part):
    """What one tenant sets for itself; each field unset leaves the deployment's value.

    A field that a newer release wrote is passed over. `check_tenant_settings` is for what somebody hands in.
    """

    brand: str | None = Field(default=None, pattern=BRAND_PATTERN, description="the airline's name to customers")
    channels: tuple[Channel, ...] = Field(default=CHANNELS, min_length=1, description="on which messages are taken")
    prompt_lines: tuple[PromptLine, ...] = Field(default=(), max_length=PROMPT_LINES_MAX)
    model: str | None = Field(
        default=None, pattern=MODEL_PATTERN, description="local, openai:<model> or openai-chat:<model>"
    )
    limits: TenantLimits = TenantLimits()
    ceilings: TenantCeilings = TenantCeilings()
    knowledge: TenantKnowledge = TenantKnowledge()
    retention: TenantRetention = TenantRetention()
    escalation_hours: EscalationHours = EscalationHours()
    episodes: TenantEpisodes = TenantEpisodes()
    desk: TenantDesk = TenantDesk()
    approvals: TenantApprovals = TenantApprovals()
    remembers_customers: bool = Field(
        default=True,
        description="a vouched-for sender's new conversation begins with what earlier ones settled: name, booking, "
        "seat preference, open tickets",
    )
    emergency_number: Annotated[CustomerText, Field(max_length=200)] | None = None
    crisis_line: CustomerText | None = None

    def stored(self) -> dict[str, Any]:
        """Return what is set, without defaults, as it is stored."""
        return self.model_dump(mode="json", exclude_unset=True)


class InvalidTenantSettings(FteError):
    """Settings of a tenant that cannot be taken, all problems at once."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("these settings cannot be taken:\n" + "\n".join(f"  {problem}" for problem in problems))
        self.problems = problems


def check_tenant_settings(given: dict[str, Any]) -> TenantSettings:
    """Check settings that somebody hands in; a field of another name is a mistake there.

    Raises InvalidTenantSettings naming every field that is wrong, without its value.
    """
    try:
        return TenantSettings.model_validate(given, extra="forbid")
    except ValidationError as error:
        raise InvalidTenantSettings([_describe(detail) for detail in error.errors(include_url=False)]) from None


def read_tenant_settings(stored: dict[str, Any]) -> tuple[TenantSettings, list[str]]:
    """Read stored settings, and return them with the names of fields that this release cannot read.

    Such a field has its default: a newer release may allow values that this one does not know.
    """
    try:
        return TenantSettings.model_validate(stored), []
    except ValidationError as error:
        unreadable = sorted({str(detail["loc"][0]) for detail in error.errors(include_url=False)})
    readable = {name: value for name, value in stored.items() if name not in unreadable}
    return TenantSettings.model_validate(readable), unreadable


def known_tenant_settings(stored: dict[str, Any]) -> dict[str, Any]:
    """Return what is stored of the settings that this release knows, as it is stored."""
    return _known(stored, TenantSettings)


def _known(stored: dict[str, Any], part: type[BaseModel]) -> dict[str, Any]:
    known: dict[str, Any] = {}
    for name, value in stored.items():
        if name not in part.model_fields:
            continue
        inner = part.model_fields[name].annotation
        if isinstance(inner, type) and issubclass(inner, _Part) and isinstance(value, dict):
            known[name] = _known(value, inner)
        else:
            known[name] = value
    return known


def _names_beside(loc: tuple[int | str, ...]) -> list[str]:
    """Return the names of the settings that may stand where one of another name was found."""
    part: type[BaseModel] = TenantSettings
    for name in loc[:-1]:
        inner = part.model_fields[name].annotation if isinstance(name, str) and name in part.model_fields else None
        part = inner if isinstance(inner, type) and issubclass(inner, _Part) else OpeningHours  # the only list of parts
    return sorted(part.model_fields)


def _describe(detail: Any) -> str:
    place = ".".join(str(part) for part in detail["loc"])
    if detail["type"] == "extra_forbidden":
        return f"{place}: no such setting of a tenant; there are {', '.join(_names_beside(detail['loc']))}"
    return f"{place}: {str(detail['msg']).removeprefix('Value error, ')}"
