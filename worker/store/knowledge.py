"""Search the airline's articles in PostgreSQL."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from worker.tools.backend import Passage

if TYPE_CHECKING:
    from ops.runtime.database import Database

QUESTION_CHARACTERS_MAX = 1_000
QUESTION_WORDS_MAX = 32

RANK_MIN = 0.8
"""Rank from which a passage is about the question: most of the question's words stand in the article's title or among
its keywords, or a word does that few articles have. Found by measuring (tests/integration/test_knowledge_search.py)."""

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
_PLACEHOLDER = re.compile(r"\[[A-Z_]+(?:_\d+)?\]")


class PostgresKnowledge:
    """Search the articles of the migration `0003_knowledge`; one round trip per question."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def search(self, tenant: str, question: str, limit: int) -> list[Passage]:
        """Give the passages that answer a question, best first; none when nothing is about it."""
        words = _CHATTER.sub(" ", _PLACEHOLDER.sub(" ", question[:QUESTION_CHARACTERS_MAX].replace("\0", " ")))
        rows = await self._database.read(
            tenant, "search_knowledge", question=words, words_max=QUESTION_WORDS_MAX, passages_max=limit
        )
        passages = [Passage(row["title"], row["heading"], row["slug"], row["body"], row["rank"]) for row in rows]
        rank_min = max(RANK_MIN, RANK_SHARE_MIN * passages[0].rank) if passages else RANK_MIN
        return [passage for passage in passages if passage.rank >= rank_min]
