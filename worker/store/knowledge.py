"""Search a tenant's articles: by words and by meaning in the process, and by an embedding model where one is set."""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import openai
import psycopg
import structlog

from runtime.database import EVERY_TENANT
from runtime.switches import Switches
from worker.conversation.effects import Passage
from worker.conversation.vault import without_placeholders
from worker.models.choice import is_switched_off
from worker.models.failures import ModelUnavailable
from worker.models.word_vectors import load_word_vectors
from worker.store.article_index import FOUND_MIN, ArticleIndex, ArticleSection

if TYPE_CHECKING:
    from runtime.database import Database, Row
    from worker.models.embeddings import Embedder

_log = structlog.get_logger("fte.knowledge")

QUESTION_CHARACTERS_MAX = 1_000

TENANTS_PREPARED_MAX = 4
"""Tenants whose articles are indexed before a worker is ready; those of others are when they are first searched."""
INDEXES_MAX = 32
"""Tenants whose indexes a process keeps; of more, the ones that were not asked for the longest time are built again."""

EMBEDDING_SECONDS_MAX = 2.0
"""How long a question's embedding may take; a search without it is better than a late one."""

CANDIDATES_PER_PASSAGE = 3
"""How many passages each search returns, to be fused, for each one wanted."""

_FUSION_RANK = 60
"""The constant of reciprocal rank fusion (Cormack, Clarke, Büttcher 2009): how little the first ranks stand out."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """An index and the state of the articles that it was built from."""

    state: str
    index: ArticleIndex


class PostgresKnowledge:
    """Searches the articles in PostgreSQL; a search asks whether they are still the same, and reads them when not."""

    def __init__(
        self,
        database: Database,
        embedder: Embedder | None = None,
        similarity_min: float = 0.0,
        switches: Switches | None = None,
    ) -> None:
        self._database = database
        self._embedder = embedder
        self._similarity_min = similarity_min
        self._switches = switches or Switches()
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._building = asyncio.Lock()

    async def search(self, tenant: str, question: str, limit: int, about: str = "") -> list[Passage]:
        """Return the passages that answer a question, best first; none when nothing is about it.

        `about` is the question before it, where this one leans on that. A passage's `rank` is that of the index; one
        that the embedding model alone has found ranks as the least that the index gives.
        """
        if self._embedder is None:
            return await self.search_index(tenant, question, limit, about)
        candidates = limit * CANDIDATES_PER_PASSAGE
        indexed, by_meaning = await asyncio.gather(
            self.search_index(tenant, question, candidates, about),
            self.search_meaning(tenant, f"{about} {question}".strip(), candidates),
        )
        if not by_meaning:
            return indexed[:limit]
        ranks = {(one.slug, one.section, one.text): one.rank for one in indexed}
        fused = fuse([by_meaning, indexed])[:limit]
        return [replace(one, rank=ranks.get((one.slug, one.section, one.text), FOUND_MIN)) for one in fused]

    async def prepare(self) -> None:
        """Index the articles of up to TENANTS_PREPARED_MAX tenants, so that their first customers need not wait."""
        for row in (await self._database.read(EVERY_TENANT, "find_tenants"))[:TENANTS_PREPARED_MAX]:
            await self._index_of(row["tenant_id"])

    async def search_index(self, tenant: str, question: str, limit: int, about: str = "") -> list[Passage]:
        """Return the passages that the index of the tenant's articles finds."""
        index = await self._index_of(tenant)
        return index.search(_searchable(question), limit, _searchable(about))

    async def search_meaning(self, tenant: str, question: str, limit: int) -> list[Passage]:
        """Return the passages that the embedding model finds near the question; none without a model.

        How near they must be, the tenant's own settings say, or else those of the deployment.

        None, and a line in the log, when the model does not answer in time or pgvector is not there: the index goes on
        alone. None either while its provider is switched off.
        """
        if self._embedder is None or is_switched_off(self._switches, tenant, f"openai:{self._embedder.model}"):
            return []
        try:
            vectors = await self._embedder.embed([_searchable(question)], seconds_max=EMBEDDING_SECONDS_MAX)
            rows = await self._database.read(
                tenant, "search_embeddings", model=self._embedder.model, embedding=vectors[0], passages_max=limit
            )
        except (openai.APIError, ModelUnavailable, psycopg.errors.UndefinedObject) as error:
            _log.warning("knowledge.meaning_unavailable", model=self._embedder.model, reason=type(error).__name__)
            return []
        return [
            Passage(row["title"], row["heading"], row["slug"], row["body"], row["similarity"])
            for row in rows
            if row["similarity"] >= (self._similarity_min if row["similarity_min"] is None else row["similarity_min"])
        ]

    async def _index_of(self, tenant: str) -> ArticleIndex:
        state = await self._read_state(tenant)
        if (kept := self._kept.get(tenant)) is None or kept.state != state:
            async with self._building:  # one at a time: each takes a core, and a burst of questions needs it once
                state = await self._read_state(tenant)
                if (kept := self._kept.get(tenant)) is None or kept.state != state:
                    kept = _Kept(state, await self._build(tenant))
                    self._kept[tenant] = kept
                    while len(self._kept) > INDEXES_MAX:
                        self._kept.popitem(last=False)
        if tenant in self._kept:
            self._kept.move_to_end(tenant)
        return kept.index

    async def _read_state(self, tenant: str) -> str:
        return str((await self._database.read(tenant, "read_articles_state"))[0]["state"])

    async def _build(self, tenant: str) -> ArticleIndex:
        """Read the articles and index them, beside the loop: it takes 0.2 s for 130 sections.

        An import between the two reads gives an index that is newer than its state, and is built once more.
        """
        rows = await self._database.read(tenant, "list_sections")
        return await asyncio.to_thread(build_index, rows)


def build_index(rows: Sequence[Row]) -> ArticleIndex:
    """Index sections as `list_sections` gives them."""
    sections = [
        ArticleSection(
            slug=row["slug"],
            number=row["section_number"],
            title=row["title"],
            heading=row["heading"],
            body=row["body"],
            keywords=tuple(word for part in row["keywords"].split(",") if (word := part.strip())),
            asked=tuple(row["asked"].splitlines()),
        )
        for row in rows
    ]
    unanswered = {row["slug"]: row["unanswered"].splitlines() for row in rows}
    return ArticleIndex(sections, [one for several in unanswered.values() for one in several], load_word_vectors())


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


_WHEN = re.compile(r"\b(?:next|this|coming) (?:week(?:end)?|month)\b", re.IGNORECASE)
"""When somebody travels; what an article says of weeks and months is of other ones."""


def _searchable(question: str) -> str:
    return _WHEN.sub(" ", without_placeholders(question[:QUESTION_CHARACTERS_MAX].replace("\0", " ")))
