"""Turn texts into vectors that are near each other where the texts mean the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import openai

if TYPE_CHECKING:
    from schema.settings import Settings

TEXTS_MAX = 128
"""Texts of one request."""


class Embedder:
    """Ask an OpenAI-compatible endpoint for embeddings; made and used on one event loop."""

    def __init__(self, client: openai.AsyncOpenAI, model: str) -> None:
        self._client = client
        self.model = model

    async def embed(self, texts: Sequence[str], *, seconds_max: float) -> list[list[float]]:
        """Give one vector for each text, in order; at most TEXTS_MAX.

        Raises openai.APIError, time-outs among them; nothing is retried.
        """
        if len(texts) > TEXTS_MAX:
            raise ValueError(f"{len(texts)} texts in one request, at most {TEXTS_MAX}")
        answer = await self._client.embeddings.create(
            model=self.model, input=list(texts), encoding_format="float", timeout=seconds_max
        )
        return [item.embedding for item in sorted(answer.data, key=lambda item: item.index)]

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.close()


def build_embedder(settings: Settings) -> Embedder | None:
    """Make the embedder for `FTE_EMBEDDING_MODEL`; None when none is set."""
    if settings.embedding_model is None or settings.openai_api_key is None:
        return None
    client = openai.AsyncOpenAI(
        api_key=settings.openai_api_key.get_secret_value(), base_url=settings.openai_base_url, max_retries=0
    )
    return Embedder(client, settings.embedding_model.removeprefix("openai:"))
