"""Define the settings of logs and traces."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from schema.settings.models import ModelSettings
from schema.settings.section import Section


class LogSettings(Section):
    """What is logged, and in which form."""

    log_level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="least level logged")
    log_format: Literal["json", "console"] = Field(default="json", description="json lines, or for people")


class TraceSettings(ModelSettings):
    """What is traced, and where spans go."""

    trace: bool = Field(default=True, description="record what each turn does and how long it takes, for fte trace")
    spans_waiting_max: int = Field(
        default=20_000, ge=1_000, description="spans of one process that wait for a sink; more are dropped and counted"
    )
    otlp_endpoint: str | None = Field(
        default=None,
        validation_alias="OTEL_EXPORTER_OTLP_ENDPOINT",
        description="send traces there as well, by OTLP over HTTP",
    )
    openai_traces: bool = Field(default=False, description="let the agents SDK send its own traces to OpenAI")

    @model_validator(mode="after")
    def _can_be_sent_to_openai(self) -> Self:
        if self.openai_traces and not self.model.startswith("openai:"):
            raise ValueError("FTE_OPENAI_TRACES=true needs FTE_MODEL=openai:<model>")
        return self
