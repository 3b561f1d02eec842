"""Define the settings of the HTTP gateway."""

from __future__ import annotations

from pydantic import Field, field_validator

from schema.settings.answers import MailAnswerSettings, SmsAnswerSettings
from schema.settings.listening import parse_listening
from schema.settings.metrics import MetricsSettings
from schema.settings.sending import SendingSettings


class GatewaySettings(MailAnswerSettings, SmsAnswerSettings, SendingSettings, MetricsSettings):
    """Where the HTTP gateway listens, and what one process of it bears.

    No name ends in PORT: Kubernetes would set it to an address, for a Service called fte-gateway.
    """

    gateway_listen: str = Field(
        default="127.0.0.1:8080", description="address and port of the HTTP gateway; port 0: any that is free"
    )
    gateway_metrics_listen: str = Field(
        default="", description="address and port of a gateway's metrics, where not that of FTE_METRICS_LISTEN"
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
