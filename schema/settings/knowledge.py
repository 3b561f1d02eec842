"""Define the settings of the knowledge that agents search."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator
from pydantic_settings import NoDecode

from schema.settings.models import ModelSettings
from schema.settings.section import split_at_commas


class DocumentationServer(BaseModel):
    """A documentation server (Model Context Protocol), reached by its URL or started by a command."""

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


class KnowledgeSettings(ModelSettings):
    """Sources of the FAQ Agent's answers besides the search of articles by words."""

    embedding_similarity_min: float = Field(
        default=0.35, ge=-1, le=1, description="cosine similarity from which a section is about a question"
    )
    vector_store_ids: Annotated[list[str], NoDecode] = Field(
        default_factory=list, description="vector stores of OpenAI that the FAQ Agent searches, comma separated"
    )
    mcp_servers: list[DocumentationServer] = Field(
        default_factory=list, description="documentation servers of the FAQ Agent, a JSON list (docs/knowledge.md)"
    )

    @field_validator("vector_store_ids", mode="before")
    @classmethod
    def _split_store_ids(cls, value: object) -> object:
        return split_at_commas(value)

    @model_validator(mode="after")
    def _can_be_searched(self) -> Self:
        if self.vector_store_ids and not self.model.startswith("openai:"):
            raise ValueError("FTE_VECTOR_STORE_IDS needs FTE_MODEL=openai:<model>, which searches them")
        return self
