"""Define the settings that a tenant's own are held against."""

from __future__ import annotations

from schema.settings.models import ProviderSettings
from schema.settings.retention import RetentionSettings
from schema.settings.servers import ServerSettings


class TenantBoundSettings(RetentionSettings, ProviderSettings):
    """What this deployment can ask, what it knows the price of, and how long it keeps what is kept."""


class OperatorSettings(TenantBoundSettings, ServerSettings):
    """What a process that serves operators reads."""
