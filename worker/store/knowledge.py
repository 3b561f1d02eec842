"""Search the airline's articles in PostgreSQL: by words, and by meaning where an embedding model is configured."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import openai
import psycopg
import structlog

from worker.conversation.effects import Passage
from worker.conversation.vault import without_placeholders

if TYPE_CHECKING:
    from runtime.database import Database
    from worker.models.embeddings import Embedder

_log = structlog.get_logger("fte.knowledge")

QUESTION_CHARACTERS_MAX = 1_000
QUESTION_WORDS_MAX = 32

RANK_MIN = 0.8
"""Rank from which a passage is about the question: most of the question's words stand in the article's title or among
its keywords, or a word does that few articles have. Measured (tests/integration/test_knowledge_search.py)."""

RANK_SHARE_MIN = 0.45
"""Share of the best passage's rank below which another one is left out: it only has the common words."""

# What people say around a question. English stop words are dropped by PostgreSQL; these are none in its dictionary, and
# rare in articles, so they would count as telling.
_CHATTER = re.compile(
    r"\b(hi|hello|hey|dear|please|thanks?|cheers|want|wanted|need|needed|know|wonder(?:ing)?|tell|ask(?:ing)?|question|"
    r"help|like|would|could|can|may|got|get|getting|have|going|go|really|just|also|still|today|tomorrow|someone|anyone|"
    r"anything|something|much|many|long|policy|policies|airline|rules?|bring|take|taking|give|buy|use|using|day|see|fly|"
    r"flying|flies|travel|travell?ing|trip|plane|happens?|possible|allowed|nice|good|new)\b",
    re.IGNORECASE,
)
EMBEDDING_SECONDS_MAX = 2.0
"""How long a question's embedding may take; a search by words alone is better than a late one."""

CANDIDATES_PER_PASSAGE = 3
"""How many passages each search returns, to be fused, for each one wanted."""

_FUSION_RANK = 60
"""The constant of reciprocal rank fusion (Cormack, Clarke, Büttcher 2009): how little the first ranks stand out."""


class PostgresKnowledge:
    """Searches the articles of the migration `0003_knowledge`; one round trip for each way to search."""

    def __init__(self, database: Database, embedder: Embedder | None = None, similarity_min: float = 0.0) -> None:
        self._database = database
        self._embedder = embedder
        self._similarity_min = similarity_min

    async def search(self, tenant: str, question: str, limit: int) -> list[Passage]:
        """Return the passages that answer a question, best first; none when nothing is about it.

        A passage's `rank` is that of the search by words, or the fused one where the search by meaning found any.
        """
        if self._embedder is None:
            return await self.search_words(tenant, question, limit)
        candidates = limit * CANDIDATES_PER_PASSAGE
        by_words, by_meaning = await asyncio.gather(
            self.search_words(tenant, question, candidates), self.search_meaning(tenant, question, candidates)
        )
        return fuse([by_meaning, by_words])[:limit] if by_meaning else by_words[:limit]

    async def search_words(self, tenant: str, question: str, limit: int) -> list[Passage]:
        """Return the passages that have the question's words."""
        words = _CHATTER.sub(" ", _searchable(question))
        rows = await self._database.read(
            tenant, "search_knowledge", question=words, words_max=QUESTION_WORDS_MAX, passages_max=limit
        )
        passages = [Passage(row["title"], row["heading"], row["slug"], row["body"], row["rank"]) for row in rows]
        rank_min = max(RANK_MIN, RANK_SHARE_MIN * passages[0].rank) if passages else RANK_MIN
        return [passage for passage in passages if passage.rank >= rank_min]

    async def search_meaning(self, tenant: str, question: str, limit: int) -> list[Passage]:
        """Return the passages that mean something near the question; none without an embedding model.

        None, and a line in the log, when the model does not answer in time or pgvector is not there: the search by
        words goes on alone.
        """
        if self._embedder is None:
            return []
        try:
            vectors = await self._embedder.embed([_searchable(question)], seconds_max=EMBEDDING_SECONDS_MAX)
            rows = await self._database.read(
                tenant, "search_embeddings", model=self._embedder.model, embedding=vectors[0], passages_max=limit
            )
        except (openai.APIError, psycopg.errors.UndefinedObject) as error:
            _log.warning("knowledge.meaning_unavailable", model=self._embedder.model, reason=type(error).__name__)
            return []
        return [
            Passage(row["title"], row["heading"], row["slug"], row["body"], row["similarity"])
            for row in rows
            if row["similarity"] >= self._similarity_min
        ]


def fuse(rankings: Sequence[Sequence[Passage]]) -> list[Passage]:
    """Merge rankings by reciprocal rank: a passage that stands well in several comes before one that leads in one.

    Of equals, the one of the earlier ranking comes first.
    """
    ranks: dict[tuple[str, str, str], float] = {}
    passages: dict[tuple[str, str, str], Passage] = {}
    for ranking in rankings:
        for place, passage in enumerate(ranking, 1):
            identity = (passage.slug, passage.section, passage.text)
            ranks[identity] = ranks.get(identity, 0.0) + 1 / (_FUSION_RANK + place)
            passages.setdefault(identity, passage)
    best_first = sorted(ranks, key=lambda identity: -ranks[identity])  # a stable sort
    return [replace(passages[identity], rank=ranks[identity]) for identity in best_first]


def _searchable(question: str) -> str:
    return without_placeholders(question[:QUESTION_CHARACTERS_MAX].replace("\0", " "))
