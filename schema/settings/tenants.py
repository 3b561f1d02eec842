"""Define the settings that a tenant's own are held against."""

from __future__ import annotations

from schema.settings.knowledge import KnowledgeSettings
from schema.settings.mailbox import MailboxSettings
from schema.settings.models import ProviderSettings
from schema.settings.retention import RetentionSettings
from schema.settings.sealing import SealingSettings
from schema.settings.servers import ServerSettings


class TenantModelSettings(KnowledgeSettings, ProviderSettings):
    """Which models this deployment can ask, and what it knows the price of."""


class TenantBoundSettings(RetentionSettings, TenantModelSettings):
    """What the settings of a tenant must fit: models, prices, and how long a deployment keeps what is kept."""


class OperatorSettings(TenantBoundSettings, MailboxSettings, SealingSettings, ServerSettings):
    """What a process that serves operators reads."""
