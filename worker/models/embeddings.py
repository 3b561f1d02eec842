"""Embed texts as vectors that are near each other where the texts mean the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import openai

from worker.models.client import make_client

if TYPE_CHECKING:
    from schema.settings.models import ModelSettings

TEXTS_MAX = 128
"""Most texts of one request."""


class Embedder:
    """Client for the embeddings of an OpenAI-compatible endpoint; made and used on one event loop."""

    def __init__(self, client: openai.AsyncOpenAI, model: str) -> None:
        self._client = client
        self.model = model

    async def embed(self, texts: Sequence[str], *, seconds_max: float) -> list[list[float]]:
        """Return one vector for each text, in order; at most TEXTS_MAX.

        Raises openai.APIError, time-outs among them; nothing is retried.
        """
        if len(texts) > TEXTS_MAX:
            raise ValueError(f"{len(texts)} texts in one request, at most {TEXTS_MAX}")
        answer = await self._client.embeddings.create(
            model=self.model, input=list(texts), encoding_format="float", timeout=seconds_max
        )
        return [item.embedding for item in sorted(answer.data, key=lambda item: item.index)]

    async def aclose(self) -> None:
        """Close the client; one that is shared may be closed more than once."""
        await self._client.close()


def build_embedder(settings: ModelSettings, client: openai.AsyncOpenAI | None = None) -> Embedder | None:
    """Build the embedder for `FTE_EMBEDDING_MODEL`, on its own client unless one is given; None when none is set."""
    client = client or make_client(settings)
    if settings.embedding_model is None or client is None:
        return None
    return Embedder(client, settings.embedding_model.removeprefix("openai:"))
