"""Define the settings of the HTTP gateway."""

from __future__ import annotations

from pydantic import Field

from schema.settings.sending import SendingSettings


class GatewaySettings(SendingSettings):
    """Where the HTTP gateway listens, and what one process of it bears."""

    gateway_host: str = Field(default="127.0.0.1", min_length=1, description="address the HTTP gateway listens on")
    gateway_port: int = Field(default=8080, ge=0, le=65_535, description="its port; 0: any that is free")
    gateway_metrics_port: int = Field(
        default=0, ge=0, le=65_535, description="port of its metrics for Prometheus, on the same address; 0: none"
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
