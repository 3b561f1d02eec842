"""Define the settings of the HTTP gateway."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from schema.settings.sending import SendingSettings


class Listening(NamedTuple):
    """Where a process listens."""

    host: str
    port: int
    """0: any that is free."""


def parse_listening(text: str) -> Listening:
    """Parse `127.0.0.1:8080` or `[::1]:8080`; raises ValueError saying what it must be."""
    try:
        parts = urlsplit(f"//{text}")
        if parts.hostname and parts.port is not None and not (parts.path or parts.query or parts.username):
            return Listening(parts.hostname, parts.port)
    except ValueError:
        pass
    raise ValueError("an address and a port, such as 127.0.0.1:8080 or [::1]:8080")


class GatewaySettings(SendingSettings):
    """Where the HTTP gateway listens, and what one process of it bears.

    No name ends in PORT: Kubernetes would set it to an address, for a Service called fte-gateway.
    """

    gateway_listen: str = Field(
        default="127.0.0.1:8080", description="address and port of the HTTP gateway; port 0: any that is free"
    )
    gateway_metrics_listen: str = Field(
        default="", description="address and port of its metrics for Prometheus, such as 127.0.0.1:9108; unset: none"
    )
    gateway_connections_max: int = Field(
        default=2_000, ge=1, description="connections of one gateway process; more are refused with 503"
    )
    gateway_proxies: str = Field(
        default="",
        description="addresses of reverse proxies, comma separated, whose X-Forwarded-For names the client",
    )
    gateway_key_share_max: float = Field(
        default=1.0, gt=0, le=1, description="part of a tenant's limits that one of its keys may use"
    )
    gateway_stop_seconds_max: int = Field(
        default=10, ge=1, description="how long a stopping gateway finishes requests; streams end at once"
    )

    @field_validator("gateway_listen", "gateway_metrics_listen")
    @classmethod
    def _is_where_to_listen(cls, value: str) -> str:
        if value:
            parse_listening(value)
        return value
