"""Embed the sections of articles."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from schema.errors import FteError
from worker.models.embeddings import TEXTS_MAX

if TYPE_CHECKING:
    from runtime.database import Database
    from worker.models.embeddings import Embedder

SECONDS_MAX = 60.0
"""Time limit of one request of many texts."""


class VectorsMissing(FteError):
    """PostgreSQL lacks pgvector, so embeddings could not be compared."""

    def __init__(self) -> None:
        super().__init__(
            "this PostgreSQL has no pgvector: install it on the server and run CREATE EXTENSION vector in this database"
        )


async def embed_sections(
    database: Database, embedder: Embedder, tenant: str, progress: Callable[[int], None] = lambda _count: None
) -> int:
    """Embed sections without an embedding of this model, drop those of texts that are gone; return how many were made.

    Stored batch by batch: run again after a failure, it continues. Raises VectorsMissing, openai.APIError.
    """
    if not (await database.read(tenant, "find_vectors"))[0]["found"]:
        raise VectorsMissing
    made = 0
    while rows := await database.read(tenant, "find_unembedded", model=embedder.model, texts_max=TEXTS_MAX):
        texts = [f"{row['title']}: {row['heading']}\n{row['body']}" for row in rows]
        vectors = await embedder.embed(texts, seconds_max=SECONDS_MAX)
        async with database.transaction(tenant) as transaction:
            for row, vector in zip(rows, vectors, strict=True):
                await transaction.run(
                    "keep_embedding", model=embedder.model, text_hash=row["text_hash"], embedding=vector
                )
        made += len(rows)
        progress(len(rows))
    async with database.transaction(tenant) as transaction:
        await transaction.run("remove_embeddings")
    return made
