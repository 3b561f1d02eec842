"""A search by meaning: embeddings from an endpoint of ours, whose model knows which words mean the same."""

from __future__ import annotations

import asyncio
import hashlib
import re
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import openai
import pytest
from aiohttp import web
from pydantic import SecretStr

from ops.knowledge.embedding import embed_sections
from ops.knowledge.importing import import_articles
from ops.seed import ARTICLES_FOLDER
from ops.tenants.settings import change_settings
from runtime.database import connect
from runtime.switches import Switch, Switches
from tests.waiting import eventually
from worker.conversation.effects import Passage
from worker.models.circuits import Circuits
from worker.models.embeddings import Embedder, build_embedder
from worker.models.failures import ModelUnavailable
from worker.store import knowledge as module
from worker.store.knowledge import PostgresKnowledge, fuse

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from runtime.database import Database
    from schema.settings import Settings

CONCEPTS = [
    {"pets", "pet", "cat", "cats", "furry"},
    {"wifi", "wi-fi", "internet", "browsing", "online", "surf"},
    {"baggage", "bag", "bags", "suitcase", "luggage"},
    {"refund", "refunds", "money", "reimbursed"},
]
SIMILARITY_MIN = 0.35


def vector_of(text: str) -> list[float]:
    """Count a text's words by what they mean; a little noise of its own keeps texts about nothing apart."""
    words = re.findall(r"[a-z-]+", text.lower())
    noise = [byte / 255 - 0.5 for byte in hashlib.sha256(text.encode()).digest()]
    return [*(2.0 * sum(word in concept for word in words) for concept in CONCEPTS), *noise]


@dataclass
class Endpoint:
    """Speak /v1/embeddings."""

    url: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)
    status: int = 200
    hang: asyncio.Event | None = None

    async def answer(self, request: web.Request) -> web.Response:
        asked = await request.json()
        self.asked.append(asked)
        if self.hang is not None:
            await self.hang.wait()
        if self.status != 200:
            return web.json_response({"error": {"message": "no"}}, status=self.status)
        data = [
            {"object": "embedding", "index": index, "embedding": vector_of(text)}
            for index, text in enumerate(asked["input"])
        ]
        return web.json_response({"object": "list", "model": asked["model"], "data": data, "usage": {}})


@pytest.fixture
async def endpoint() -> AsyncIterator[Endpoint]:
    made = Endpoint()
    app = web.Application()
    app.router.add_post("/v1/embeddings", made.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    yield made
    if made.hang is not None:
        made.hang.set()
    await runner.cleanup()


@asynccontextmanager
async def embedder_at(
    endpoint: Endpoint, settings: Settings, circuits: Circuits | None = None
) -> AsyncIterator[Embedder]:
    changes = {
        "embedding_model": "openai:tiny",
        "openai_api_key": SecretStr("sk-test"),
        "openai_base_url": endpoint.url,
    }
    embedder = build_embedder(settings.model_copy(update=changes), circuits=circuits)
    assert embedder is not None
    yield embedder
    await embedder.aclose()


@pytest.fixture
def published(settings: Settings, tenant: str) -> str:
    with connect(settings.database_url or "") as connection:
        import_articles(connection, tenant, ARTICLES_FOLDER, by="a test")
    return tenant


async def test_a_question_in_other_words_is_answered_once_sections_are_embedded(
    settings: Settings, database: Database, published: str, endpoint: Endpoint
) -> None:
    question = "May my furry friend come along?"
    async with embedder_at(endpoint, settings) as embedder:
        knowledge = PostgresKnowledge(database, embedder, SIMILARITY_MIN)
        by_words = await knowledge.search_index(published, question, 3)
        before = await knowledge.search(published, question, 3)

        made = await embed_sections(database, embedder, published)
        after = await knowledge.search(published, question, 3)

    assert made > 100
    assert [passage.slug for passage in by_words] == [passage.slug for passage in before]
    about_animals = {"pets", "service-animals"}
    assert not about_animals & {passage.slug for passage in before}
    assert after[0].slug in about_animals


async def test_what_both_ways_find_comes_before_what_one_finds(
    settings: Settings, database: Database, published: str, endpoint: Endpoint
) -> None:
    async with embedder_at(endpoint, settings) as embedder:
        await embed_sections(database, embedder, published)
        passages = await PostgresKnowledge(database, embedder, SIMILARITY_MIN).search(
            published, "Is there internet on the plane?", 3
        )

    assert passages[0].slug == "wifi"


async def test_a_question_about_nothing_published_finds_nothing_by_meaning_either(
    settings: Settings, database: Database, published: str, endpoint: Endpoint
) -> None:
    async with embedder_at(endpoint, settings) as embedder:
        await embed_sections(database, embedder, published)
        passages = await PostgresKnowledge(database, embedder, 0.75).search(published, "Who painted it?", 3)

    assert passages == []


async def test_each_tenant_says_how_near_a_section_must_be_to_the_question(
    settings: Settings, database: Database, published: str, other_tenant: str, endpoint: Endpoint
) -> None:
    with connect(settings.database_url or "") as connection:
        import_articles(connection, other_tenant, ARTICLES_FOLDER, by="a test")
    question = "May my furry friend come along?"
    async with embedder_at(endpoint, settings) as embedder:
        for tenant in (published, other_tenant):
            await embed_sections(database, embedder, tenant)
        knowledge = PostgresKnowledge(database, embedder, SIMILARITY_MIN)
        before = [await knowledge.search_meaning(tenant, question, 5) for tenant in (published, other_tenant)]
        await change_settings(database, published, {"knowledge": {"similarity_min": 1}}, by="ada")
        after = [await knowledge.search_meaning(tenant, question, 5) for tenant in (published, other_tenant)]
        await change_settings(database, published, {"knowledge": {"similarity_min": -1}}, by="ada")
        everything = await knowledge.search_meaning(published, "Who painted it?", 5)

    assert before[0] == before[1] != []
    assert after == [[], before[1]]
    assert len(everything) == 5


@pytest.mark.parametrize("trouble", ["error", "hangs"])
async def test_the_search_by_words_goes_on_when_the_embedding_model_is_away(
    settings: Settings,
    database: Database,
    published: str,
    endpoint: Endpoint,
    trouble: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "EMBEDDING_SECONDS_MAX", 0.2)
    if trouble == "error":
        endpoint.status = 500
    else:
        endpoint.hang = asyncio.Event()
    async with embedder_at(endpoint, settings) as embedder:
        passages = await PostgresKnowledge(database, embedder, SIMILARITY_MIN).search(
            published, "How many bags can I bring?", 3
        )

    assert passages[0].slug in {"baggage", "carry-on"}
    assert len(endpoint.asked) == 1


async def test_the_embedding_model_is_asked_nothing_for_whom_its_provider_is_switched_off(
    settings: Settings, database: Database, published: str, endpoint: Endpoint
) -> None:
    switches = Switches()
    switches.take([Switch(published, "provider", "openai", "ada", "prices", datetime.now(UTC), None)])
    async with embedder_at(endpoint, settings) as embedder:
        knowledge = PostgresKnowledge(database, embedder, SIMILARITY_MIN, switches)
        passages = await knowledge.search(published, "How many bags can I bring?", 3)
        asked_while_off = len(endpoint.asked)
        switches.take([])
        await knowledge.search(published, "How many bags can I bring?", 3)

    assert passages[0].slug in {"baggage", "carry-on"}
    assert asked_while_off == 0
    assert len(endpoint.asked) == 1


async def test_an_embedding_model_that_fails_is_left_alone_and_asked_again_later(
    settings: Settings, endpoint: Endpoint
) -> None:
    circuits = Circuits("tiny", settings.model_copy(update={"breaker_failures_max": 2, "breaker_open_seconds": 0.1}))
    async with embedder_at(endpoint, settings, circuits) as embedder:
        endpoint.status = 500
        for _ in range(2):
            with pytest.raises(openai.InternalServerError):
                await embedder.embed(["pets"], seconds_max=5)
        with pytest.raises(ModelUnavailable):
            await embedder.embed(["pets"], seconds_max=5)
        asked = len(endpoint.asked)

        endpoint.status = 200

        async def is_asked_again() -> bool:
            try:
                return len(await embedder.embed(["pets"], seconds_max=5)) == 1
            except ModelUnavailable:
                return False

        await eventually(is_asked_again)

    assert asked == 2


async def test_an_import_embeds_only_what_changed(
    settings: Settings, database: Database, tenant: str, endpoint: Endpoint, tmp_path: Path
) -> None:
    kites = tmp_path / "kites.md"
    kites.write_text("# Kites\n\n## One\n\nOne kite is free.\n\n## Two\n\nTwo kites cost $20.\n")
    with connect(settings.database_url or "") as connection:
        async with embedder_at(endpoint, settings) as embedder:
            import_articles(connection, tenant, tmp_path, by="a test")
            first = await embed_sections(database, embedder, tenant)
            kites.write_text(kites.read_text().replace("$20", "$30"))
            import_articles(connection, tenant, tmp_path, by="a test")
            second = await embed_sections(database, embedder, tenant)
            third = await embed_sections(database, embedder, tenant)
        count = connection.execute(
            "SELECT count(*) AS n FROM section_embedding WHERE tenant_id = %s", [tenant]
        ).fetchone()

    assert (first, second, third) == (2, 1, 0)
    assert count is not None
    assert count["n"] == 2


async def test_placeholders_do_not_reach_the_embedding_model(
    settings: Settings, database: Database, published: str, endpoint: Endpoint
) -> None:
    async with embedder_at(endpoint, settings) as embedder:
        await PostgresKnowledge(database, embedder).search(published, "bags of [CONFIRMATION_NUMBER_1]?", 3)

    assert "CONFIRMATION" not in endpoint.asked[0]["input"][0]


def test_fusion_prefers_what_stands_well_in_both_rankings() -> None:
    first, both, second = (Passage(name, "s", name, name, 1.0) for name in ("first", "both", "second"))

    fused = fuse([[first, both], [second, both]])

    assert [passage.slug for passage in fused] == ["both", "first", "second"]
