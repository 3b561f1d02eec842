"""Define the settings of models: which one, its prices, its provider's limits."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from schema.settings.attempts import AttemptSettings
from schema.settings.section import Section

Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
Verbosity = Literal["low", "medium", "high"]


class ModelPrice(BaseModel):
    """Price of a model, in USD for a million tokens."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    input: Decimal = Field(ge=0)
    cached_input: Decimal | None = Field(default=None, ge=0, description="unset: as input")
    output: Decimal = Field(ge=0)


class ModelSettings(Section):
    """Which model answers, and how its provider is reached."""

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
    model_call_seconds_max: float = Field(default=30, gt=0, description="time limit of one model call")

    @property
    def is_embedded_model(self) -> bool:
        """Return whether the model is embedded: it runs in the process."""
        return self.model in {"local", "stub"}

    @property
    def model_name(self) -> str:
        """Return the model's name as its provider knows it."""
        return self.model.split(":", 1)[-1]

    @field_validator("model")
    @classmethod
    def _is_known_model(cls, value: str) -> str:
        if not re.match(r"^(local|stub|openai:\S+|openai-chat:\S+)$", value):
            raise ValueError("unknown model; give local, openai:<model> or openai-chat:<model>")
        return value

    @field_validator("embedding_model")
    @classmethod
    def _is_known_embedding_model(cls, value: str | None) -> str | None:
        if value is not None and not re.match(r"^openai:\S+$", value):
            raise ValueError("unknown embedding model; give openai:<model>")
        return value

    @field_validator("openai_api_key")
    @classmethod
    def _is_an_endpoints_key(cls, value: SecretStr | None) -> SecretStr | None:
        key = value.get_secret_value().strip() if value is not None else ""
        if not key.isascii() or any(one.isspace() for one in key):
            raise ValueError("a key is one word of ASCII letters, digits and marks")
        return SecretStr(key) if key else None

    @field_validator("openai_base_url")
    @classmethod
    def _is_an_endpoint(cls, value: str | None) -> str | None:
        if value is None or not value.strip():
            return None
        parts = urlsplit(value.strip())
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("no address; give one with http:// or https://, such as https://llm.example.com/v1")
        return value.strip()

    @property
    def missing_keys(self) -> list[str]:
        """Return what is missing to ask a model: for commands that ask none, nothing is."""
        if self.openai_api_key is not None:
            return []
        missing = (
            [] if self.is_embedded_model else [f"FTE_MODEL={self.model} needs OPENAI_API_KEY, or set FTE_MODEL=local"]
        )
        if self.embedding_model is not None:
            missing.append("FTE_EMBEDDING_MODEL needs OPENAI_API_KEY, or leave it unset")
        return missing


class ParameterSettings(ModelSettings):
    """Parameters of every request to a model; an unset one is sent only where it is right for the model's family."""

    model_reasoning_effort: Effort | None = Field(
        default=None, description="how long a reasoning model thinks; unset: the default of its family (docs/models.md)"
    )
    model_verbosity: Verbosity | None = Field(
        default=None, description="how much a model of the GPT-5 family writes; unset: low there, not sent elsewhere"
    )
    model_temperature: float | None = Field(
        default=None, ge=0, le=2, description="randomness of the answer; unset: not sent"
    )
    model_output_tokens_max: int | None = Field(
        default=None, ge=16, description="longest answer, reasoning included; unset: not sent"
    )
    model_store: bool | None = Field(
        default=None, description="whether the provider keeps requests and answers; unset: no, where that can be said"
    )
    model_service_tier: str | None = Field(
        default=None, pattern=r"^[a-z][a-z0-9_-]{0,31}$", description="e.g. flex or priority; unset: not sent"
    )
    model_tool_choice: Literal["auto"] | None = Field(
        default=None, description="for servers that offer tools only when told so; unset: not sent"
    )
    model_parallel_tool_calls: bool | None = Field(
        default=None, description="whether one answer may hold several calls; unset: not sent"
    )


class SpendingSettings(ModelSettings):
    """What model calls cost, and how much a tenant may spend on a day."""

    model_prices: dict[str, ModelPrice] = Field(
        default_factory=dict,
        description='USD for a million tokens: {"<model>": {"input": 1, "cached_input": 0.1, "output": 8}}',
    )
    tenant_usd_per_day_max: Decimal | None = Field(
        default=None, gt=0, description="what a tenant's model calls may cost on a day (UTC); then local answers"
    )

    @model_validator(mode="after")
    def _knows_the_price(self) -> Self:
        if (
            self.tenant_usd_per_day_max is not None
            and not self.is_embedded_model
            and self.model_name not in self.model_prices
        ):
            raise ValueError("FTE_TENANT_USD_PER_DAY_MAX needs the price of FTE_MODEL in FTE_MODEL_PRICES")
        return self


class ProviderSettings(SpendingSettings, ParameterSettings, AttemptSettings):
    """How a failing or busy provider is retried, throttled and left alone."""

    model_retries_max: int = Field(default=2, ge=0, le=10, description="repeated requests within one model call")
    model_retry_seconds_max: float = Field(
        default=3, ge=0, description="longest wait before a repeated request; a longer one parks the message"
    )
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
