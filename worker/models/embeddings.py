"""Embed texts as vectors that are near each other where the texts mean the same."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import openai

from worker.models.client import make_client
from worker.models.failures import ModelUnavailable, retry_after_seconds

if TYPE_CHECKING:
    from schema.settings.models import ModelSettings
    from worker.models.circuits import Circuit, Circuits

TEXTS_MAX = 128
"""Most texts of one request."""


class Embedder:
    """Client for the embeddings of an OpenAI-compatible endpoint; made and used on one event loop."""

    def __init__(self, client: openai.AsyncOpenAI, model: str, circuit: Circuit | None = None) -> None:
        """Embed by a model; behind a `circuit`, an endpoint that fails is left alone for a while."""
        self._client = client
        self._circuit = circuit
        self.model = model

    async def embed(self, texts: Sequence[str], *, seconds_max: float) -> list[list[float]]:
        """Return one vector for each text, in order; at most TEXTS_MAX.

        Raises openai.APIError, time-outs and answers that are none among them, and ModelUnavailable while the endpoint
        is left alone; nothing is retried.
        """
        if len(texts) > TEXTS_MAX:
            raise ValueError(f"{len(texts)} texts in one request, at most {TEXTS_MAX}")
        if self._circuit is None:
            return await self._request(texts, seconds_max)
        permit = self._circuit.admit()
        if permit is None:
            raise ModelUnavailable(f"{self.model} failed lately and is left alone")
        try:
            vectors = await self._request(texts, seconds_max)
        except openai.APIError as error:
            self._circuit.failed(permit, error, retry_after_seconds=retry_after_seconds(error, time.time()) or 0.0)
            raise
        except BaseException:
            self._circuit.dropped(permit)
            raise
        self._circuit.succeeded(permit)
        return vectors

    async def _request(self, texts: Sequence[str], seconds_max: float) -> list[list[float]]:
        answer = await self._client.embeddings.create(
            model=self.model, input=list(texts), encoding_format="float", timeout=seconds_max
        )
        return [item.embedding for item in sorted(answer.data, key=lambda item: item.index)]

    async def aclose(self) -> None:
        """Close the client; one that is shared may be closed more than once."""
        await self._client.close()


def build_embedder(
    settings: ModelSettings, client: openai.AsyncOpenAI | None = None, *, circuits: Circuits | None = None
) -> Embedder | None:
    """Build the embedder for `FTE_EMBEDDING_MODEL`, on its own client unless one is given; None when none is set.

    A worker gives `circuits`, so that customers do not wait for an endpoint that fails.
    """
    if settings.embedding_model is None:
        return None
    client = client or make_client(settings)
    if client is None:
        return None
    circuit = circuits.of("embeddings") if circuits is not None else None
    return Embedder(client, settings.embedding_model.removeprefix("openai:"), circuit)
