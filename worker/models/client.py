"""Make the client of an OpenAI-compatible endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING

import openai

if TYPE_CHECKING:
    from schema.settings import Settings


def make_client(settings: Settings) -> openai.AsyncOpenAI:
    """Make a worker's one client for models; whoever makes it closes it.

    It never retries by itself: retries are made in one layer (`worker.models.resilient`), and multiplied with others
    they would hold a conversation's lease for minutes. Raises ValueError without an API key.
    """
    if settings.openai_api_key is None:
        raise ValueError(f"FTE_MODEL={settings.model} needs OPENAI_API_KEY")
    return openai.AsyncOpenAI(
        api_key=settings.openai_api_key.get_secret_value(),
        base_url=settings.openai_base_url,
        timeout=settings.model_call_seconds_max,
        max_retries=0,
    )
