"""Define the settings of PostgreSQL and Redis."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from schema.settings.section import Section


class ServerSettings(Section):
    """Where PostgreSQL and Redis are, and how many connections a process keeps to them."""

    database_url: str | None = Field(default=None, description="PostgreSQL, postgresql://…; unset: the embedded one")
    http_database_url: str | None = Field(
        default=None,
        description="PostgreSQL as HTTP processes log in, held to one tenant at a time; unset: FTE_DATABASE_URL",
    )
    database_pooled: bool = Field(
        default=False, description="a pooler of transactions stands before PostgreSQL, such as PgBouncer"
    )
    redis_url: str | None = Field(
        default=None, description="Redis, redis://… or redis+sentinel://…; unset: the embedded one"
    )
    database_connections_max: int = Field(default=8, ge=1, description="PostgreSQL connections of one process")
    redis_connections_max: int = Field(default=64, ge=1, description="Redis connections of one process")
    send_seconds_max: float = Field(default=10, gt=0, description="how long send retries an unreachable server")

    @model_validator(mode="after")
    def _go_together(self) -> Self:
        if (self.database_url is None) != (self.redis_url is None):
            raise ValueError("FTE_DATABASE_URL and FTE_REDIS_URL go together: set both, or neither")
        return self
