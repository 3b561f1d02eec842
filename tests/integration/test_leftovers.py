"""Outbox rows that no key opens keep no other row from being published."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography.fernet import Fernet

from runtime.configuration import open_sealer
from runtime.database import connect
from runtime.sealing import Sealer
from tests.integration.conftest import add_tenant
from tests.integration.worker_harness import make_harness

if TYPE_CHECKING:
    from schema.settings import Settings

PAGE = 5


async def test_unopenable_rows_at_the_head_of_more_than_a_page_starve_nobody(fragile: Settings) -> None:
    small = fragile.model_copy(update={"reconcile_messages_max": PAGE})
    harness = await make_harness(small, open_sealer(small), add_tenant(small))
    for number in range(2 * PAGE + 1):
        await harness.accept(f"lost-{number}", "hello")
        await harness.drain(f"lost-{number}")
    await harness.accept("c", "hello")
    await harness.drain("c")
    await harness.service.servers.redis.flushall()
    foreign = Sealer([Fernet.generate_key().decode()]).seal("{}")
    with connect(small.database_url or "") as connection:
        connection.execute("UPDATE outbox SET published_at = NULL WHERE tenant_id = %s", [harness.tenant])
        connection.execute(
            "UPDATE outbox SET body = %s WHERE tenant_id = %s AND conversation_id LIKE 'lost%%'",
            [foreign, harness.tenant],
        )
    await harness.service.streams.restore_all()

    await harness.service.rescue.publish_leftovers(age_seconds=0)

    assert [reply["conversation"] for reply in await harness.replies()] == ["c"]
    await harness.close()


async def test_a_conversation_of_more_unopenable_rows_than_a_page_starves_nobody(fragile: Settings) -> None:
    small = fragile.model_copy(update={"reconcile_messages_max": PAGE})
    harness = await make_harness(small, open_sealer(small), add_tenant(small))
    for _ in range(3 * PAGE):
        await harness.accept("lost", "hello")
    await harness.drain("lost")
    await harness.accept("c", "hello")
    await harness.drain("c")
    await harness.drain("lost")
    await harness.service.servers.redis.flushall()
    foreign = Sealer([Fernet.generate_key().decode()]).seal("{}")
    with connect(small.database_url or "") as connection:
        connection.execute("UPDATE outbox SET published_at = NULL WHERE tenant_id = %s", [harness.tenant])
        connection.execute(
            "UPDATE outbox SET body = %s WHERE tenant_id = %s AND conversation_id = 'lost'", [foreign, harness.tenant]
        )
    await harness.service.streams.restore_all()

    await harness.service.rescue.publish_leftovers(age_seconds=0)

    assert [reply["conversation"] for reply in await harness.replies()] == ["c"]
    await harness.close()
