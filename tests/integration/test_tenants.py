"""Operators make, change, suspend and delete tenants; every process sees it within five seconds."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from psycopg import sql

from ops.seed import seed_airline
from ops.tenants.deletion import TenantInService, delete_tenant
from ops.tenants.keys import KeyRequest, create_key
from ops.tenants.settings import (
    NothingToUndo,
    SettingsChangedMeanwhile,
    TenantBeingDeleted,
    TenantNameInvalid,
    TenantNameTaken,
    change_settings,
    create_tenant,
    list_changes,
    merge_patch,
    read_tenant,
    resume_tenant,
    suspend_tenant,
    undo_change,
)
from producer.sending.client import AsyncProducer
from runtime.database import Database, connect
from runtime.tenants import VIEW_SECONDS_MAX, Tenants
from schema.errors import ServerUnreachable, TenantSuspended, UnknownTenant
from schema.keys import replies_stream
from schema.settings import Settings
from schema.tenants import InvalidTenantSettings, TenantSettings
from tests.integration.worker_harness import Harness, MakeHarness, make_harness

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from runtime.sealing import Sealer


def message(tenant: str, message_id: str = "m-1") -> dict[str, Any]:
    return {
        "message_id": message_id,
        "tenant": tenant,
        "conversation": "c-1",
        "channel": "chat",
        "sender": "ada",
        "text": "hello",
    }


def new_name() -> str:
    return f"t{uuid.uuid4().hex[:12]}"


async def test_a_tenant_without_settings_has_the_defaults(database: Database, tenant: str) -> None:
    view = await Tenants(database).view(tenant)

    assert (view.settings, view.version, view.is_suspended) == (TenantSettings(), 0, False)
    assert VIEW_SECONDS_MAX < 5


async def test_a_tenant_that_is_not_there_is_unknown(database: Database) -> None:
    with pytest.raises(UnknownTenant):
        await Tenants(database).settings("nobody")


async def test_without_postgresql_nothing_is_said_of_a_tenant(settings: Settings) -> None:
    database = Database(settings.model_copy(update={"database_url": "postgresql://127.0.0.1:1/none"}))

    with pytest.raises(ServerUnreachable, match="PostgreSQL"):
        await Tenants(database).settings("default")


async def test_a_new_tenant_has_what_it_was_made_with(database: Database) -> None:
    name = new_name()

    made = await create_tenant(database, name, {"brand": "Nordwind", "channels": ["chat"]}, by="ada", reason="signed")
    view = await Tenants(database).view(name)

    assert (made.version, view.version) == (1, 1)
    assert (view.settings.brand, view.settings.channels) == ("Nordwind", ("chat",))
    with pytest.raises(TenantNameTaken):
        await create_tenant(database, name, {}, by="ada")
    for wrong in ("*", "", "a b", "x" * 64, "{a}"):
        with pytest.raises(TenantNameInvalid):
            await create_tenant(database, wrong, {}, by="ada")


async def test_a_change_is_checked_and_kept_with_who_made_it_and_why(database: Database, tenant: str) -> None:
    await change_settings(database, tenant, {"brand": "One", "limits": {"streams": 5}}, by="ada", reason="pilot")
    await change_settings(database, tenant, {"limits": {"messages_per_minute": 60}}, by="bob")
    with pytest.raises(InvalidTenantSettings, match=r"limits\.streams"):
        await change_settings(database, tenant, {"limits": {"streams": 0}}, by="eve")
    record = await change_settings(database, tenant, {"brand": None}, by="cyd")
    changes = await list_changes(database, tenant)

    assert record.stored == {"limits": {"streams": 5, "messages_per_minute": 60}}
    assert record.settings.brand is None
    assert [(row["version"], row["changed_by"], row["reason"]) for row in changes] == [
        (3, "cyd", None),
        (2, "bob", None),
        (1, "ada", "pilot"),
    ]


async def test_of_two_changes_made_from_one_version_the_second_is_refused(database: Database, tenant: str) -> None:
    await change_settings(database, tenant, {"brand": "One"}, by="ada", version=0)

    with pytest.raises(SettingsChangedMeanwhile, match="version 0"):
        await change_settings(database, tenant, {"brand": "Two"}, by="bob", version=0)
    assert (await read_tenant(database, tenant)).settings.brand == "One"


async def test_an_undo_goes_one_version_back_each_time_and_can_be_undone_by_its_version(
    database: Database, tenant: str
) -> None:
    for brand in ("One", "Two", "Three"):
        await change_settings(database, tenant, {"brand": brand}, by="ada")

    brands = [(await undo_change(database, tenant, by="bob")).settings.brand for _ in range(3)]
    with pytest.raises(NothingToUndo):
        await undo_change(database, tenant, by="bob")
    again = await undo_change(database, tenant, by="bob", version=3)
    changes = await list_changes(database, tenant)

    assert brands == ["Two", "One", None]
    assert again.settings.brand == "Three"
    assert [row["restores"] for row in changes] == [3, 0, 1, 2, None, None, None]


async def test_what_a_newer_release_has_set_survives_a_change(database: Database, tenant: str) -> None:
    stored = '{"colour": "red", "limits": {"streams": 5, "calls": 7}, "retention": {"mail_days": 3}}'
    newer = {"tenant": tenant, "settings": stored, "version": 0, "by": "x", "reason": None}
    await database.read(tenant, "change_tenant_settings", **newer, restores=None)

    record = await change_settings(database, tenant, {"brand": "One", "limits": {"streams": None}}, by="ada")

    assert record.stored == {
        "colour": "red",
        "brand": "One",
        "limits": {"calls": 7},
        "retention": {"mail_days": 3},
    }


@pytest.mark.parametrize(
    ("target", "patch", "merged"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_a_patch_is_merged_as_its_standard_says(target: Any, patch: Any, merged: Any) -> None:
    assert merge_patch(target, patch) == merged  # the examples of RFC 7396, appendix A


async def test_a_suspended_tenant_is_refused_at_the_door_and_its_turns_end(
    settings: Settings, database: Database, tenant: str, worker: MakeHarness
) -> None:
    harness = await worker()
    async with AsyncProducer(settings) as producer:
        first = await producer.send(message(tenant))
        await suspend_tenant(database, tenant, by="ada", because="unpaid")

        with pytest.raises(TenantSuspended, match="fte tenant resume"):
            await producer.send(message(tenant, "m-2"))
        again = await producer.send(message(tenant))
        with pytest.raises(TenantSuspended):
            await Tenants(database).settings(tenant)
        await harness.drain("c-1")
        await resume_tenant(database, tenant, by="a test")
        third = await producer.send(message(tenant, "m-3"))

    assert (first.status, again.status, third.status) == ("accepted", "duplicate", "accepted")
    assert [reply["text"] for reply in await harness.replies()] == ["you said: hello"]


async def rows_left(database: Database, tenant: str) -> dict[str, int]:
    """Count the rows of a tenant in every table that has any."""
    left = {}
    async with database.transaction(tenant) as transaction:
        for row in await transaction.run("find_tables_of_tenants"):
            statement = sql.SQL("SELECT count(*) AS rows FROM {} WHERE tenant_id = %s").format(
                sql.Identifier(row["name"])
            )
            cursor = await transaction.connection.execute(statement, [tenant])
            found = await cursor.fetchone()
            if found is not None and found["rows"]:
                left[row["name"]] = found["rows"]
    return left


async def keys_left(redis: Redis, tenant: str) -> list[bytes]:
    return [key async for key in redis.scan_iter(match=f"*{tenant}*")]


async def agendas_with(redis: Any, tenant: str) -> list[bytes]:
    return [
        member
        async for agenda in redis.scan_iter(match="fte:*:agenda")
        for member in await redis.zrange(agenda, 0, -1)
        if member.startswith(tenant.encode() + b":")
    ]


async def make_busy(harness: Harness, database: Database, tenant: str) -> None:
    """Leave something of every kind: answered, waiting, settings, a key, a flight."""
    await harness.accept("c-1", "hello")
    await harness.drain("c-1")
    await harness.accept("c-2", "waits")
    await harness.accept("c-3", "in no mailbox", enqueue=False)
    await change_settings(database, tenant, {"brand": "Going"}, by="ada")
    await create_key(database, tenant, KeyRequest("k", ("admin",)), by="ada", now=datetime.now(UTC))


async def test_everything_of_a_deleted_tenant_goes_and_nothing_of_another(
    settings: Settings, sealer: Sealer, database: Database, redis: Redis, tenant: str, other_tenant: str
) -> None:
    with connect(settings.database_url or "") as connection, connection.transaction():
        seed_airline(connection, tenant, datetime.now(UTC).date())
    harness, other = [await make_harness(settings, sealer, one) for one in (tenant, other_tenant)]
    await make_busy(harness, database, tenant)
    await make_busy(other, database, other_tenant)
    before = (await rows_left(database, tenant), await rows_left(database, other_tenant))
    streams = [key.decode() for key in await keys_left(redis, tenant) if b"{" + tenant.encode() in key]

    with pytest.raises(TenantInService, match="suspend it first"):
        await delete_tenant(database, redis, tenant, by="ada")
    await suspend_tenant(database, tenant, by="ada", because="left")
    receipt = await delete_tenant(database, redis, tenant, by="ada")

    assert len(before[0]) > 15
    suspension = {"audit_entry": 1, "audit_detail": 1}
    assert receipt.rows == {table: rows + suspension.get(table, 0) for table, rows in before[0].items()}
    assert receipt.is_finished
    assert receipt.entries[replies_stream(tenant, "chat")] == 1
    assert set(receipt.entries) <= set(streams)
    assert (await rows_left(database, tenant), await keys_left(redis, tenant)) == ({}, [])
    assert await agendas_with(redis, tenant) == []
    assert await rows_left(database, other_tenant) == before[1]
    assert await agendas_with(redis, other_tenant) != []
    assert await keys_left(redis, other_tenant) != []
    with pytest.raises(TenantNameTaken):
        await create_tenant(database, tenant, {}, by="ada")
    with pytest.raises(UnknownTenant):
        await Tenants(database).view(tenant)
    for one in (harness, other):
        await one.close()


class BrokenOff(Exception):
    """The process ends here."""


async def test_a_deletion_that_is_broken_off_anywhere_goes_on_and_counts_each_row_once(
    settings: Settings, sealer: Sealer, database: Database, redis: Redis, tenant: str
) -> None:
    harness = await make_harness(settings, sealer, tenant)
    await make_busy(harness, database, tenant)
    await harness.close()
    await suspend_tenant(database, tenant, by="ada", because="left")
    before = await rows_left(database, tenant)

    def break_off(_place: str, _count: int) -> None:
        raise BrokenOff

    broken_off = 0
    receipt = None
    while receipt is None:
        try:
            receipt = await delete_tenant(database, redis, tenant, by="bob" if broken_off else "ada", say=break_off)
        except BrokenOff:
            broken_off += 1
            if broken_off == 1:
                with pytest.raises(TenantBeingDeleted):
                    await resume_tenant(database, tenant, by="a test")
    once_more = await delete_tenant(database, redis, tenant, by="cyd")

    assert broken_off > len(before)
    assert receipt.rows == before
    assert receipt.requested_by == "ada"
    assert once_more == receipt
    assert await rows_left(database, tenant) == {}


async def test_a_tenant_that_never_was_is_not_deleted(database: Database, redis: Redis) -> None:
    with pytest.raises(UnknownTenant):
        await delete_tenant(database, redis, "nobody", by="ada")
