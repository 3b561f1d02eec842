"""Define the settings that lead to a deployment's data."""

from __future__ import annotations

from schema.settings.sealing import SealingSettings
from schema.settings.servers import ServerSettings


class DeploymentSettings(SealingSettings, ServerSettings):
    """Addresses of a deployment's servers, and the keys to what is sealed in them."""
