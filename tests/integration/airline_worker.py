"""Put a worker together with the airline's agents and the model that the settings name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ops.knowledge.importing import import_articles
from ops.seed import ARTICLES_FOLDER
from runtime.database import connect
from runtime.switches import Switches
from tests.integration.sample_airline import add_airline
from tests.integration.worker_harness import make_harness
from worker.agents.pool import GraphPool
from worker.domains.airline.agents.graph import build_graph
from worker.domains.airline.domain import AIRLINE
from worker.domains.airline.store.airline import PostgresAirline
from worker.guardrails.inputs import input_guardrails
from worker.models.provider import build_model_provider
from worker.pipeline.act import Brain
from worker.store.guesses import PostgresGuesses
from worker.store.knowledge import PostgresKnowledge

if TYPE_CHECKING:
    from runtime.database import Database
    from runtime.sealing import Sealer
    from runtime.sender_keys import SenderKeys
    from schema.settings import Settings
    from tests.integration.worker_harness import Harness


def add_airline_with_articles(settings: Settings) -> str:
    """Set up a tenant with the sample airline and its articles."""
    tenant = add_airline(settings)
    with connect(settings.database_url or "") as connection:
        import_articles(connection, tenant, ARTICLES_FOLDER, by="a test")
    return tenant


async def make_airline_worker(settings: Settings, sealer: Sealer, tenant: str, *, alone: bool = False) -> Harness:
    """Make a worker in this process; `alone`: without the guardrail that asks the model beside the agents."""
    guardrails = input_guardrails(settings.model_copy(update={"model": "local"}) if alone else settings)

    def make_brain(database: Database, senders: SenderKeys) -> Brain:
        switches = Switches(database)
        return Brain(
            graphs=GraphPool(build_graph),
            provider=build_model_provider(settings, local=AIRLINE.local_model, switches=switches),
            guardrails=guardrails,
            backend=PostgresAirline(database),
            knowledge=PostgresKnowledge(database),
            guesses=PostgresGuesses(database, senders, settings),
            settings=settings,
            domain=AIRLINE,
            switches=switches,
        )

    return await make_harness(settings, sealer, tenant, make_brain=make_brain)
