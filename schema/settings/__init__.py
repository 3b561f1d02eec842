"""Define every setting in sections, one class each, and put them together.

One documented field is one setting, read from its `FTE_…` variable by `runtime.configuration`.
"""

from __future__ import annotations

from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from schema.settings.episodes import EpisodeSettings
from schema.settings.gateway import GatewaySettings
from schema.settings.guardrails import GuardrailSettings, GuessSettings
from schema.settings.knowledge import KnowledgeSettings
from schema.settings.mail_delivery import MailDeliverySettings
from schema.settings.mail_door import MailDoorSettings
from schema.settings.metrics import ExportSettings
from schema.settings.models import ProviderSettings
from schema.settings.process import DrainSettings, WatchSettings
from schema.settings.repair import VerificationSettings
from schema.settings.telemetry import LogSettings, TraceSettings
from schema.settings.tenants import OperatorSettings
from schema.settings.turns import TurnSettings
from schema.settings.webhooks import DeliverySettings


class Settings(
    TraceSettings,
    LogSettings,
    MailDeliverySettings,
    ExportSettings,
    DeliverySettings,
    EpisodeSettings,
    OperatorSettings,
    VerificationSettings,
    WatchSettings,
    DrainSettings,
    GuessSettings,
    GuardrailSettings,
    KnowledgeSettings,
    ProviderSettings,
    TurnSettings,
    MailDoorSettings,
    GatewaySettings,
    BaseSettings,
):
    """All settings of one process, immutable once loaded: each section, read from the environment.

    Whoever starts a process, or hands settings on to many parts, has them all; a part has the section that it reads.
    Pydantic lists the fields of the last base first, so the bases stand in the reverse order of `fte settings`.
    """

    model_config = SettingsConfigDict(
        env_prefix="FTE_", frozen=True, extra="ignore", env_ignore_empty=True, hide_input_in_errors=True
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the sources that are read: arguments, then the environment.

        Pydantic would also look every setting up in a `.env` file and a folder of secrets that are never given, which
        takes as long as the environment itself.
        """
        del settings_cls, dotenv_settings, file_secret_settings
        return init_settings, env_settings
