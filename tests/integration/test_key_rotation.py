"""Rotate the vault's key under a running product: both side by side, everything sealed anew, the old one dropped."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from ops.database.migrate import migrate
from ops.database.rotation import SEALED, rotate
from ops.desk import acts
from ops.desk.channels import AccountDesk
from ops.desk.webhooks import Targets
from runtime.database import connect
from runtime.sealing import Sealer
from runtime.startup import check_deployment
from schema.errors import InvalidSettings, Unsealable
from schema.settings import Settings
from tests.integration.conftest import add_tenant
from tests.integration.desk_scene import MACHINE, desk_beside
from tests.integration.worker_harness import Harness, make_harness

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()
REDIS_DATABASE = 7
"""A database of its own on the shared Redis: the count of waiting messages looks at every mailbox there is."""


@pytest.fixture
def apart(settings: Settings, empty_database: Callable[..., AbstractContextManager[str]]) -> Iterator[Settings]:
    """Give a deployment of its own, set up with the old key."""
    with empty_database() as url:
        migrate(url, Sealer([OLD]), sample=False)
        redis_url = f"{settings.redis_url}/{REDIS_DATABASE}"
        yield settings.model_copy(update={"database_url": url, "redis_url": redis_url})


@asynccontextmanager
async def running(settings: Settings, tenant: str, *keys: str) -> AsyncIterator[Harness]:
    """Run a worker with these keys, newest first, as one that starts: it checks the deployment."""
    sealer = Sealer(list(keys))
    with_keys = settings.model_copy(update={"vault_keys": [SecretStr(key) for key in keys]})
    harness = await make_harness(with_keys, sealer, tenant)
    try:
        await check_deployment(harness.database, sealer)
        yield harness
    finally:
        await harness.close()


async def ask(harness: Harness, conversation: str, text: str) -> str:
    """Send a message and give what the model saw of it."""
    await harness.accept(conversation, text)
    await harness.drain(conversation)
    return harness.model.asked[-1]


def sealed_values(settings: Settings) -> dict[tuple[str, str], list[str]]:
    """Find every value in the database that is a Fernet token, whatever column it stands in."""
    found: dict[tuple[str, str], list[str]] = {}
    with connect(settings.database_url or "") as connection:
        columns = connection.execute(
            "SELECT table_name, column_name FROM information_schema.columns "
            "WHERE table_schema = 'public' AND data_type IN ('text', 'jsonb')"
        ).fetchall()
        for row in columns:
            place = (row["table_name"], row["column_name"])
            statement = (
                f'SELECT "{place[1]}"::text AS value FROM "{place[0]}" WHERE "{place[1]}"::text LIKE \'%gAAAA%\''  # noqa: S608 - names from the catalogue
            )
            values = [one["value"] for one in connection.execute(statement.encode())]
            if values:
                found[place] = values
    return found


async def test_a_key_is_replaced_while_messages_wait_and_nothing_is_lost(apart: Settings) -> None:
    tenant = add_tenant(apart)
    async with running(apart, tenant, OLD) as before:
        first = await ask(before, "c", "my confirmation number is R4MXT8")
        await before.accept("c", "what about R4MXT8?")  # waits in the mailbox, sealed with the old key

    async with running(apart, tenant, NEW, OLD) as during:
        early = await asyncio.to_thread(rotate, during.settings, Sealer([NEW, OLD]), by="a test")
        await during.drain("c")
        second = during.model.asked[-1]
        await ask(during, "other", "booking K7PLQ2")
        sealed = (await during.query("SELECT vault FROM conversation WHERE conversation_id = 'other'"))[0]["vault"]

    assert (early.waiting_older, early.older_keys_needed) == (1, True)
    assert first == "my confirmation number is [CONFIRMATION_NUMBER_1]"
    assert second == "what about [CONFIRMATION_NUMBER_1]?"
    assert Sealer([NEW]).is_newest(sealed)

    late = await asyncio.to_thread(rotate, apart, Sealer([NEW, OLD]), by="a test")
    assert not late.older_keys_needed
    async with running(apart, tenant, NEW) as after:
        assert await ask(after, "c", "R4MXT8 again") == "[CONFIRMATION_NUMBER_1] again"
        assert [reply["text"] for reply in await after.replies()][-1] == "you said: R4MXT8 again"


async def test_a_rotation_changes_nobodys_sender_key(apart: Settings) -> None:
    tenant = add_tenant(apart)
    async with running(apart, tenant, OLD) as before:
        first = before.service.servers.senders.key_of(tenant, "chat", "ada@example.com")
        await ask(before, "c", "my confirmation number is R4MXT8")
    await asyncio.to_thread(rotate, apart, Sealer([NEW, OLD]), by="a test")

    async with running(apart, tenant, NEW) as after:
        seen = await ask(after, "c", "R4MXT8 again")
        held = (await after.query("SELECT sender_key FROM conversation"))[0]["sender_key"]
        second = after.service.servers.senders.key_of(tenant, "chat", "ada@example.com")

    assert first == second == held
    assert seen == "[CONFIRMATION_NUMBER_1] again"
    with pytest.raises(InvalidSettings, match="was set up with the key"):
        async with running(apart, tenant, OLD):
            """The old key alone is refused."""


async def deliver_a_reply(worker: Harness, desk: AccountDesk) -> None:
    """Leave an account with secrets and the ones before, and a reply that waits to be delivered by it."""
    settings = {"account_sid": "AC" + "1" * 32, "public_url": "https://gate.example"}
    account_id = await desk.add("sms", settings, {"auth_token": "one"})
    await desk.rotate(account_id, {"auth_token": "two"})
    async with worker.database.transaction(desk.tenant) as transaction:
        await transaction.connection.execute(
            "INSERT INTO reply_delivery (tenant_id, reply_id, conversation_id, ordinal, channel, account_id, "
            "own_address, sender_key, author) VALUES (%s, 'r', 'c', 1, 'sms', %s, 'o', 's', 'bot')",
            [desk.tenant, account_id],
        )
        await transaction.connection.execute(
            "INSERT INTO reply_part (tenant_id, reply_id, number, content) VALUES (%s, 'r', 1, %s)",
            [desk.tenant, desk.sealer.seal("a reply")],
        )
        await transaction.connection.execute(
            "INSERT INTO mail_message (tenant_id, message_id, conversation_id, direction, reference, head)"
            " VALUES (%s, 'm', 'c', 'in', 'x', %s)",
            [desk.tenant, desk.sealer.seal("a subject")],
        )


async def test_after_a_rotation_the_newest_key_opens_every_sealed_value(apart: Settings) -> None:
    tenant = add_tenant(apart)
    old = Sealer([OLD])
    async with running(apart, tenant, OLD) as worker:
        await ask(worker, "c", "call me on +1 415 555 0132")
        await worker.accept("c", "and me on +1 415 555 0133", sender="ben@example.com")
        await worker.drain("c")
        await worker.accept("c", "one more")
        async with worker.database.transaction(tenant) as transaction:
            await transaction.connection.execute(
                "INSERT INTO dead_letter (tenant_id, conversation_id, reason, attempts, payload) "
                "VALUES (%s, 'c', 'r', 1, %s)",
                [tenant, old.seal("a dead letter")],
            )
            await transaction.connection.execute(
                "INSERT INTO conversation_key (tenant_id, conversation_id, sealed_key) VALUES (%s, 'c', %s)",
                [tenant, old.seal("a conversation's key")],
            )
            await transaction.connection.execute(
                "INSERT INTO tool_journal (tenant_id, message_id, call_id, tool, input_hash, delta) "
                "VALUES (%s, 'm', 'c', 't', 'h', %s)",
                [tenant, old.seal("a tool's answer")],
            )
            await transaction.connection.execute(
                "INSERT INTO approval (tenant_id, approval_id, conversation_id, position, kind, amount_usd, policy, "
                "details, expires_at) VALUES (%s, 'ap', 'c', 1, 'cancellation', 1, 'p', %s, now())",
                [tenant, old.seal("a change")],
            )
        await worker.accept("left-to-people", "hello")
        await acts.take_over(desk_beside(worker), MACHINE, worker.key("left-to-people"))
        await worker.drain("left-to-people")
        await acts.note(desk_beside(worker), MACHINE, worker.key("left-to-people"), "is kind")
        targets = Targets(worker.database, old, tenant, by="a test")
        target = await targets.add("https://hook.example/", [])
        await targets.rotate(target.target_id)
        await deliver_a_reply(worker, AccountDesk(worker.database, old, tenant))
    assert {(one.table, one.column) for one in SEALED} == sealed_values(apart).keys()

    counted = await asyncio.to_thread(rotate, apart, Sealer([NEW, OLD]), dry_run=True, by="a test")
    assert all(old.is_newest(value) for values in sealed_values(apart).values() for value in values)
    done = await asyncio.to_thread(rotate, apart, Sealer([NEW, OLD]), by="a test")
    again = await asyncio.to_thread(rotate, apart, Sealer([NEW, OLD]), by="a test")

    new = Sealer([NEW])
    assert all(new.is_newest(value) for values in sealed_values(apart).values() for value in values)
    assert [count.older for count in counted.tables.values()] == [count.resealed for count in done.tables.values()]
    assert all(count.looked_at for count in done.tables.values())
    assert sum(count.older for count in again.tables.values()) == 0


async def test_a_secret_that_no_key_opens_is_refused_with_the_way_out(apart: Settings) -> None:
    with connect(apart.database_url or "") as connection:
        lost = Sealer([NEW]).seal("c2VjcmV0")
        connection.execute("UPDATE deployment SET sender_secret = %s", [lost])

    with pytest.raises(InvalidSettings, match=r"secret for sender keys.*give this process the key that sealed it"):
        async with running(apart, add_tenant(apart), OLD):
            """Nothing runs with it."""


async def test_a_rotation_without_the_old_key_is_refused_and_names_what_no_key_opens(apart: Settings) -> None:
    tenant = add_tenant(apart)
    async with running(apart, tenant, OLD) as worker:
        await ask(worker, "c", "booking R4MXT8")
        async with worker.database.transaction(tenant) as transaction:
            lost = Sealer([Fernet.generate_key().decode()]).seal("lost")
            await transaction.connection.execute("UPDATE conversation SET vault = %s", [lost])

    with pytest.raises(InvalidSettings, match="was set up with the key"):
        await asyncio.to_thread(rotate, apart, Sealer([NEW]), by="a test")
    report = await asyncio.to_thread(rotate, apart, Sealer([NEW, OLD]), by="a test")

    assert (report.unreadable, report.older_keys_needed) == (1, True)
    with pytest.raises(InvalidSettings, match="was set up with the key"):  # the old key is still the database's
        await asyncio.to_thread(rotate, apart, Sealer([NEW]), by="a test")
    with pytest.raises(Unsealable):
        Sealer([NEW, OLD]).reseal(lost)
