"""Create the client of an OpenAI-compatible endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING

import openai

from schema.errors import InvalidSettings
from worker.models.wire.client import CheckedClient

if TYPE_CHECKING:
    from schema.settings.models import ModelSettings

OPENAI_URL = "https://api.openai.com/v1"


def make_client(settings: ModelSettings) -> openai.AsyncOpenAI | None:
    """Create a worker's one client, for models and embeddings; None where neither is behind an endpoint.

    It never retries by itself: retries are made in one layer (`worker.models.resilient`), and multiplied with others
    they would hold a conversation's lease for minutes. Raises InvalidSettings when the key is missing.
    """
    if settings.is_embedded_model and settings.embedding_model is None:
        return None
    if settings.openai_api_key is None:
        raise InvalidSettings(settings.missing_keys)
    return openai.AsyncOpenAI(
        api_key=settings.openai_api_key.get_secret_value(),
        base_url=settings.openai_base_url or OPENAI_URL,  # not None: the SDK would read an empty variable itself
        timeout=settings.model_call_seconds_max,
        max_retries=0,
        http_client=CheckedClient(),
    )
