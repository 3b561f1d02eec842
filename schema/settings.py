"""Define every setting: one documented field each, read from `FTE_…` variables by `runtime.configuration`."""

from __future__ import annotations

import os
import re
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from schema.channels import Channel
from schema.ids import BRAND_PATTERN
from schema.messages import IN_REPLY_TO_MAX


def default_state_dir() -> Path:
    """Place the state folder where the XDG base directory specification puts state."""
    base = os.environ.get("XDG_STATE_HOME")
    if base:
        return Path(base) / "fte"
    try:
        return Path.home() / ".local" / "state" / "fte"
    except RuntimeError:  # a user id without a home, as in some containers: who needs the folder is told to name one
        return Path("/nonexistent") / "fte"


class DocumentationServer(BaseModel):
    """Describe a documentation server (Model Context Protocol): reached by its URL, or started by a command."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,31}$", description="begins the names of its tools")
    url: str | None = Field(default=None, pattern=r"^https?://", description="streamable HTTP")
    headers: dict[str, SecretStr] = Field(default_factory=dict, description="sent with each request to the URL")
    command: list[str] = Field(default_factory=list, description="program and arguments of a server on stdio")
    environment: dict[str, SecretStr] = Field(default_factory=dict, description="variables of that program")
    allowed_tools: list[str] = Field(default_factory=list, description="the tools used; empty: all it offers")
    seconds_max: float = Field(default=10, gt=0, le=60, description="time limit of one call")

    @model_validator(mode="after")
    def _has_one_way_in(self) -> Self:
        if (self.url is None) == (not self.command):
            raise ValueError("a documentation server: give it a url or a command, one of the two")
        return self


class ModelPrice(BaseModel):
    """Say what a model costs, in USD for a million tokens."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    input: Decimal = Field(ge=0)
    cached_input: Decimal | None = Field(default=None, ge=0, description="unset: as input")
    output: Decimal = Field(ge=0)


class Settings(BaseSettings):
    """Hold one process's settings; immutable once loaded."""

    model_config = SettingsConfigDict(
        env_prefix="FTE_", frozen=True, extra="ignore", env_ignore_empty=True, hide_input_in_errors=True
    )

    # Where things are
    database_url: str | None = Field(default=None, description="PostgreSQL, postgresql://…; unset: the embedded one")
    redis_url: str | None = Field(default=None, description="Redis, redis://…; unset: the embedded one")
    state_dir: Path = Field(
        default_factory=default_state_dir, description="folder of the embedded stack and of a vault key made here"
    )
    vault_keys: Annotated[list[SecretStr], NoDecode] = Field(
        default_factory=list,
        description="Fernet keys, comma separated, newest first; unset: one is made in the state folder",
    )

    brand: str = Field(
        default="Larkfield Air",
        pattern=BRAND_PATTERN,
        description="the airline's name to customers of a tenant that has none of its own (fte migrate --brand)",
    )

    # The brain
    model: str = Field(
        default="local",
        description="local, openai:<model> (Responses) or openai-chat:<model> (Chat Completions); docs/models.md",
    )
    route_locally: bool = Field(
        default=True,
        description="start a turn at the agent that the local classifier is sure of; docs/models.md",
    )
    openai_api_key: SecretStr | None = Field(
        default=None, validation_alias="OPENAI_API_KEY", description="for openai: and openai-chat:"
    )
    openai_base_url: str | None = Field(
        default=None, validation_alias="OPENAI_BASE_URL", description="an OpenAI-compatible endpoint"
    )
    embedding_model: str | None = Field(
        default=None, description="openai:<model> that finds articles beside the built-in index (docs/knowledge.md)"
    )
    embedding_similarity_min: float = Field(
        default=0.35, ge=-1, le=1, description="cosine similarity from which a section is about a question"
    )
    vector_store_ids: Annotated[list[str], NoDecode] = Field(
        default_factory=list, description="vector stores of OpenAI that the FAQ Agent searches, comma separated"
    )
    mcp_servers: list[DocumentationServer] = Field(
        default_factory=list, description="documentation servers of the FAQ Agent, a JSON list (docs/knowledge.md)"
    )
    model_call_seconds_max: float = Field(default=30, gt=0, description="time limit of one model call")
    model_calls_max: int = Field(default=10, ge=1, le=500, description="model calls within one turn")
    turn_seconds_max: float = Field(default=60, gt=0, description="time limit of one turn")

    # When a provider fails, or is asked too much
    model_retries_max: int = Field(default=2, ge=0, le=10, description="repeated requests within one model call")
    model_retry_seconds_max: float = Field(
        default=3, ge=0, description="longest wait before a repeated request; a longer one parks the message"
    )
    model_park_seconds_max: float = Field(default=120, gt=0, description="longest Retry-After that is obeyed")
    model_attempts_max: int = Field(
        default=3, ge=1, description="attempt at a message from which local answers where the provider fails"
    )
    model_concurrency_max: int = Field(default=64, ge=1, description="model calls of one process at a time")
    model_requests_per_minute: int | None = Field(
        default=None, ge=1, description="the provider's limit on requests, shared by all processes"
    )
    model_tokens_per_minute: int | None = Field(
        default=None, ge=1, description="the provider's limit on tokens, shared by all processes"
    )
    model_wait_seconds_max: float = Field(
        default=5, gt=0, description="how long a model call waits for its place; then its message is parked"
    )
    breaker_failures_max: int = Field(default=5, ge=1, description="failures from which a provider is left alone")
    breaker_window_seconds: float = Field(default=60, gt=0, description="within which they count")
    breaker_open_seconds: float = Field(default=10, gt=0, description="how long it is left alone before one probe")

    # What models cost
    model_prices: dict[str, ModelPrice] = Field(
        default_factory=dict,
        description='USD for a million tokens: {"<model>": {"input": 1, "cached_input": 0.1, "output": 8}}',
    )
    tenant_usd_per_day_max: Decimal | None = Field(
        default=None, gt=0, description="what a tenant's model calls may cost on a day (UTC); then local answers"
    )

    usage_days: int = Field(default=400, ge=1, description="how long each model call's usage is kept; totals stay")

    # Mailboxes and leases
    partitions: int = Field(default=16, ge=1, le=100, description="Redis partitions; the same in every process")
    lease_seconds: float = Field(default=6, gt=0, description="how long a silent worker keeps a conversation")
    renew_seconds: float = Field(default=2, gt=0, description="how often a worker renews its leases")
    sweep_seconds: float = Field(default=1, gt=0, description="how often rescue looks for what is overdue")
    bell_seconds: float = Field(
        default=1.5, gt=0, description="how long a doorbell may take before rescue takes the conversation up"
    )
    reconcile_seconds: float = Field(
        default=3, gt=0, description="age from which an accepted message without a mailbox is put back"
    )
    reconcile_messages_max: int = Field(default=1_000, ge=1, description="messages one rescue round looks at")
    mailbox_messages_max: int = Field(default=10_000, ge=1, description="unanswered messages of one conversation")
    backlog_messages_max: int = Field(
        default=100_000, ge=1, description="unanswered messages of all conversations together; send refuses more"
    )
    tenant_backlog_messages_max: int = Field(
        default=80_000, ge=1, description="unanswered messages of one tenant; send refuses more from it alone"
    )
    turns_per_drain_max: int = Field(default=10, ge=1, description="turns before a busy conversation gives way")
    give_way_seconds: float = Field(
        default=0.1, ge=0, le=5, description="pause before each further turn of a conversation, while others are served"
    )
    attempts_max: int = Field(default=5, ge=1, description="attempts at one message before it is a dead letter")
    backoff_seconds: float = Field(default=0.5, gt=0, description="first wait after a transient failure; doubles")
    backoff_seconds_max: float = Field(default=30, gt=0, description="longest wait between attempts")

    # Bursts: messages of one customer in a row, answered together
    burst_messages_max: int = Field(
        default=10, ge=1, le=IN_REPLY_TO_MAX, description="messages that one turn answers; 1: each by itself"
    )
    burst_seconds_max: float = Field(
        default=30, gt=0, description="from the first message of a burst to the last; also how long the first waits"
    )
    burst_quiet_seconds: dict[Channel, Annotated[float, Field(ge=0)]] = Field(
        default_factory=dict,
        description='how long a channel is quiet before its burst is answered, {"sms": 1.5}; unset: not waited for',
    )

    # Conversations
    history_items_max: int = Field(default=30, ge=4, description="session items a model sees")
    tool_output_characters_max: int = Field(default=8_000, ge=200, description="length of one tool's answer")
    answer_by_minutes: int = Field(default=60, ge=1, description="within how long a human takes up an escalation")
    quote_minutes: int = Field(default=30, ge=1, description="how long a quoted change waits for the customer's yes")

    # Guesses at bookings: tries to verify that were wrong
    sender_guesses_per_day_max: int = Field(
        default=5, ge=1, description="wrong guesses of one sender on a day (UTC), in all conversations; then a person"
    )
    booking_guesses_per_day_max: int = Field(
        default=10, ge=1, description="wrong guesses at one booking on a day (UTC), whoever makes them; then a person"
    )

    sender_silence_days_max: int = Field(
        default=30,
        ge=1,
        description="after so long a silence a sender is a new one: telephone numbers are given to others",
    )

    # Abuse
    abuse_model_seconds_max: float = Field(
        default=5, gt=0, description="how long a reply waits for the model that judges abuse; not asked when local"
    )
    abuse_cooling_minutes: int = Field(default=15, ge=1, description="the pause after repeated abuse")
    abuse_memory_minutes: int = Field(
        default=1_440, ge=1, description="how long after the last abusive message the next is not a first one"
    )

    # What send accepts
    clock_skew_seconds_max: int = Field(default=300, ge=0, description="how far in the future sent_at may be")
    age_seconds_max: int = Field(
        default=7 * 86_400,
        ge=1,
        validation_alias="FTE_MESSAGE_AGE_SECONDS_MAX",
        description="how far in the past sent_at may be",
    )
    load_tests: bool = Field(
        default=False,
        description="take and obey reserved metadata (fte.model_latency_ms); for load tests, in senders and workers",
    )
    send_seconds_max: float = Field(default=10, gt=0, description="how long send retries an unreachable server")

    # Outbound
    publish_seconds: float = Field(default=2, gt=0, description="age from which rescue publishes an outbox row")
    published_seconds: int = Field(default=7 * 86_400, ge=60, description="how long Redis remembers what is published")
    collected_seconds: float = Field(
        default=2, gt=0, description="how often rescue notes what consumers have acknowledged; docs/gateway.md"
    )
    trim_seconds: float = Field(default=10, gt=0, description="how often rescue trims the streams")
    stream_entries_max: int = Field(
        default=100_000,
        ge=1_000,
        description="entries of one stream; what a group still lacks then comes from PostgreSQL",
    )
    stream_tail_entries_max: int = Field(
        default=1_000, ge=1, description="collected entries that a stream keeps for readers without a group"
    )

    # Traces
    trace: bool = Field(default=True, description="record what each turn does and how long it takes, for fte trace")
    spans_days: int = Field(default=14, ge=1, description="how long traces are kept")
    spans_waiting_max: int = Field(
        default=20_000, ge=1_000, description="spans of one process that wait for a sink; more are dropped and counted"
    )
    otlp_endpoint: str | None = Field(
        default=None,
        validation_alias="OTEL_EXPORTER_OTLP_ENDPOINT",
        description="send traces there as well, by OTLP over HTTP",
    )
    openai_traces: bool = Field(default=False, description="let the agents SDK send its own traces to OpenAI")

    # The process
    concurrency: int = Field(default=256, ge=1, le=2_000, description="conversations one worker process drains at once")
    tenant_share_max: float = Field(
        default=0.8, gt=0, le=1, description="part of them that one tenant may have, where there are several tenants"
    )
    silence_seconds_max: float = Field(
        default=15, gt=0, description="how long a conversation may be overdue while slots are free; logged, taken up"
    )
    still_seconds_max: float = Field(
        default=60, ge=10, description="how long a worker's event loop may stand still before the process ends itself"
    )
    database_connections_max: int = Field(default=8, ge=1, description="PostgreSQL connections of one process")
    redis_connections_max: int = Field(default=64, ge=1, description="Redis connections of one process")
    stop_seconds_max: float = Field(default=20, gt=0, description="how long a stopping worker finishes its turns")
    log_level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="least level logged")
    log_format: Literal["json", "console"] = Field(default="json", description="json lines, or for people")

    @property
    def is_embedded_model(self) -> bool:
        """Say whether the model is one of ours, which runs in the process."""
        return self.model in {"local", "stub"}

    @property
    def model_name(self) -> str:
        """Give the model's name as its provider knows it."""
        return self.model.split(":", 1)[-1]

    @field_validator("vault_keys", "vector_store_ids", mode="before")
    @classmethod
    def _split_keys(cls, value: object) -> object:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @field_validator("embedding_model")
    @classmethod
    def _is_known_embedding_model(cls, value: str | None) -> str | None:
        if value is not None and not re.match(r"^openai:\S+$", value):
            raise ValueError("unknown embedding model; give openai:<model>")
        return value

    @field_validator("model")
    @classmethod
    def _is_known_model(cls, value: str) -> str:
        if not re.match(r"^(local|stub|openai:\S+|openai-chat:\S+)$", value):
            raise ValueError("unknown model; give local, openai:<model> or openai-chat:<model>")
        return value

    @model_validator(mode="after")
    def _belong_together(self) -> Self:
        if not self.is_embedded_model and self.openai_api_key is None:
            raise ValueError("FTE_MODEL names a provider's model, which needs OPENAI_API_KEY")
        if self.openai_traces and not self.model.startswith("openai:"):
            raise ValueError("FTE_OPENAI_TRACES=true needs FTE_MODEL=openai:<model>")
        if (
            self.tenant_usd_per_day_max is not None
            and not self.is_embedded_model
            and self.model_name not in self.model_prices
        ):
            raise ValueError("FTE_TENANT_USD_PER_DAY_MAX needs the price of FTE_MODEL in FTE_MODEL_PRICES")
        if self.embedding_model is not None and self.openai_api_key is None:
            raise ValueError("FTE_EMBEDDING_MODEL needs OPENAI_API_KEY")
        if self.vector_store_ids and not self.model.startswith("openai:"):
            raise ValueError("FTE_VECTOR_STORE_IDS needs FTE_MODEL=openai:<model>, which searches them")
        if self.renew_seconds * 2 > self.lease_seconds:
            raise ValueError(
                f"FTE_RENEW_SECONDS={self.renew_seconds} is over half of FTE_LEASE_SECONDS={self.lease_seconds}: "
                "one late renewal would lose every lease"
            )
        quietest = max(self.burst_quiet_seconds.values(), default=0.0)
        if quietest > self.burst_seconds_max:
            raise ValueError(
                f"FTE_BURST_QUIET_SECONDS waits {quietest:g} s for quiet, over FTE_BURST_SECONDS_MAX="
                f"{self.burst_seconds_max:g}, after which a burst is answered anyway"
            )
        if (self.database_url is None) != (self.redis_url is None):
            raise ValueError("FTE_DATABASE_URL and FTE_REDIS_URL go together: set both, or neither")
        return self
