"""The audit log: each act of an operator is in its tenant's chain, and nothing of that can be changed unseen."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg import errors

from ops.audit.acts import DEPLOYMENT_CHAIN, Act, Actor, record_act, value_hash
from ops.audit.reading import ActFilter, export_acts, list_acts
from ops.audit.verification import PAGE_ENTRIES, Anchor, AnchorInvalid, read_anchor, verify_chain
from ops.desk import acts
from ops.desk.roles import Who
from ops.desk.takeover import UnknownConversation
from ops.desk.webhooks import Targets
from ops.tenants.deletion import delete_tenant
from ops.tenants.keys import KeyRequest, create_key, revoke_key, rotate_key
from ops.tenants.settings import change_settings, create_tenant, resume_tenant, suspend_tenant, undo_change
from runtime.api_keys import OPERATOR
from runtime.database import APPLICATION_ROLE, Database, connect
from schema.ids import ConversationKey
from schema.settings import Settings
from tests.integration.desk_scene import MACHINE, add_person, desk_of

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from runtime.sealing import Sealer

NOW = datetime.now(UTC)
ANN = Actor("Ann", "supervisor", "192.0.2.7")


ERASE = """
    UPDATE audit_detail SET salt = NULL, object = NULL, conversation_id = NULL, reason = NULL, erased_by = {}
    WHERE tenant_id = %(tenant)s AND number = 4
"""


async def act_often(database: Database, tenant: str, times: int) -> None:
    for number in range(1, times + 1):
        async with database.transaction(tenant) as transaction:
            act = Act("conversation.resolved", f"c-{number}", f"c-{number}", "because", before=1, after={"n": number})
            await record_act(transaction, tenant, ANN, act)


async def fail_after_act(database: Database, tenant: str) -> None:
    async with database.transaction(tenant) as transaction:
        await record_act(transaction, tenant, ANN, Act("letter.dropped", "1"))
        raise RuntimeError


async def operations(database: Database, tenant: str) -> list[str]:
    return [act["operation"] for act in reversed(await list_acts(database, tenant, ActFilter()))]


def tamper(settings: Settings, *statements: str, tenant: str) -> None:
    """Do as whoever owns the database can: without triggers and above row-level security."""
    with connect(settings.database_url or "") as connection, connection.transaction():
        connection.execute("SET LOCAL session_replication_role = replica")
        for statement in statements:
            connection.execute(statement.encode(), {"tenant": tenant})


async def test_an_act_is_on_record_with_who_what_why_and_hashes_of_before_and_after(
    database: Database, tenant: str
) -> None:
    async with database.transaction(tenant) as transaction:
        act = Act("ticket.claimed", "T-1", "c-1", "overdue", before={"by": None}, after={"by": "Ann"})
        number = await record_act(transaction, tenant, ANN, act)

    [told] = await list_acts(database, tenant, ActFilter(conversation="c-1"))
    [whole] = [each async for each in export_acts(database, tenant)]

    assert number == 1
    assert (told["actor"], told["role"], told["address"]) == ("Ann", "supervisor", "192.0.2.7")
    assert (told["operation"], told["object"], told["reason"]) == ("ticket.claimed", "T-1", "overdue")
    assert whole["object_kind"] == "ticket"
    salt = bytes.fromhex(whole["salt"])
    assert told["before_hash"] == (value_hash(salt, {"by": None}) or b"").hex()
    assert told["after_hash"] == (value_hash(salt, {"by": "Ann"}) or b"").hex()
    assert told["before_hash"] != told["after_hash"]


async def test_an_act_that_fails_leaves_no_entry_and_no_gap(
    database: Database, redis: Redis, sealer: Sealer, tenant: str
) -> None:
    with pytest.raises(UnknownConversation):
        await acts.take_over(desk_of(database, redis, sealer), MACHINE, ConversationKey(tenant, "nowhere"))
    with pytest.raises(RuntimeError):
        await fail_after_act(database, tenant)
    await act_often(database, tenant, 1)

    assert [act["number"] for act in await list_acts(database, tenant, ActFilter())] == [1]


@pytest.mark.parametrize("name", ["", "   ", "x" * 201])
async def test_nobody_acts_without_a_name(database: Database, tenant: str, name: str) -> None:
    with pytest.raises(ValueError, match="who acts is named in 1 to 200 characters"):
        await suspend_tenant(database, tenant, by=name, because="x")

    assert await operations(database, tenant) == []


async def test_acts_at_the_same_time_follow_one_another_without_gaps(database: Database, tenant: str) -> None:
    await asyncio.gather(*(act_often(database, tenant, 1) for _ in range(60)))

    report = await verify_chain(database, tenant)
    assert (report.entries, report.is_whole) == (60, True)


async def test_what_operators_do_to_tenants_keys_and_webhooks_is_on_record(
    database: Database, redis: Redis, sealer: Sealer, tenant: str
) -> None:
    made = f"{tenant}x"
    request = KeyRequest("a test's", ("admin",))
    await create_tenant(database, made, {"brand": "A"}, by=ANN)
    await change_settings(database, made, {"brand": "B"}, by=ANN, reason="new name")
    await undo_change(database, made, by=ANN)
    key = await create_key(database, made, request, by=ANN, now=NOW)
    newer = await rotate_key(database, made, key.row["key_id"], overlap=timedelta(seconds=1), by=ANN, now=NOW)
    await revoke_key(database, made, newer.row["key_id"], by=ANN, now=NOW)
    targets = Targets(database, sealer, made, by=ANN)
    target = await targets.add("https://hook.example/", [])
    await targets.rotate(target.target_id)
    await targets.replay(target.target_id, dead_only=True)
    await targets.enable(target.target_id)
    await targets.remove(target.target_id)
    await suspend_tenant(database, made, by=ANN, because="unpaid")
    await resume_tenant(database, made, by=ANN)
    await suspend_tenant(database, made, by=ANN, because="left")

    assert await operations(database, made) == [
        *("tenant.created", "tenant.changed", "tenant.undone", "key.created", "key.rotated", "key.revoked"),
        *("webhook.added", "webhook.rotated", "webhook.replayed", "webhook.enabled", "webhook.removed"),
        *("tenant.suspended", "tenant.resumed", "tenant.suspended"),
    ]
    report = await verify_chain(database, made)
    await delete_tenant(database, redis, made, by=ANN)
    begun, deleted = reversed((await list_acts(database, DEPLOYMENT_CHAIN, ActFilter(actor="Ann")))[:2])

    assert report.is_whole
    assert (begun["operation"], deleted["operation"]) == ("tenant.deletion_begun", "tenant.deleted")
    assert (begun["object"], begun["reason"]) == (made, f"its audit log ends with {report.anchor}")
    assert await operations(database, made) == []


async def test_a_key_of_operators_is_on_record_beside_the_tenants_logs(database: Database) -> None:
    made = await create_key(database, OPERATOR, KeyRequest("ops", ("admin",)), by="olga", now=NOW)

    newest = (await list_acts(database, DEPLOYMENT_CHAIN, ActFilter(actor="olga")))[0]
    assert (newest["operation"], newest["object"]) == ("key.created", made.row["key_id"])
    assert (await verify_chain(database, DEPLOYMENT_CHAIN)).is_whole


async def test_what_people_do_at_the_desk_is_on_record_with_their_role_and_reason(
    database: Database, redis: Redis, sealer: Sealer, tenant: str
) -> None:
    key = ConversationKey(tenant, "c-1")
    desk = desk_of(database, redis, sealer)
    await add_person(database, tenant, "Ann", "supervisor")
    ann = Who("Ann", address="192.0.2.7")
    async with database.transaction(tenant) as transaction:
        await transaction.run("add_conversation", **key._asdict())

    await acts.take_over(desk, ann, key, reason="urgent")
    await acts.take_over(desk, ann, key)
    await acts.note(desk, ann, key, "is kind")
    await acts.resolve(desk, ann, key, reason="settled")

    found = await list_acts(database, tenant, ActFilter(conversation="c-1"))
    assert [(act["operation"], act["reason"]) for act in reversed(found)] == [
        ("conversation.taken_over", "urgent"),
        ("conversation.noted", None),
        ("conversation.resolved", "settled"),
    ]
    assert {(act["actor"], act["role"], act["address"]) for act in found} == {("Ann", "supervisor", "192.0.2.7")}
    assert "person.set" in await operations(database, tenant)
    assert (await verify_chain(database, tenant)).is_whole


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entry SET actor = 'nobody' WHERE tenant_id = %(tenant)s",
        "DELETE FROM audit_entry WHERE tenant_id = %(tenant)s AND number = 1",
        "DELETE FROM audit_detail WHERE tenant_id = %(tenant)s AND number = 1",
        "DELETE FROM audit_chain WHERE tenant_id = %(tenant)s",
        "TRUNCATE audit_entry",
    ],
)
@pytest.mark.parametrize("role", [None, APPLICATION_ROLE])
async def test_the_log_is_only_appended_to(
    settings: Settings, database: Database, tenant: str, statement: str, role: str | None
) -> None:
    await act_often(database, tenant, 2)

    with connect(settings.database_url or "") as connection:
        connection.execute("SELECT set_config('fte.tenant', %s, false)", [tenant])
        if role:
            connection.execute("SELECT set_config('role', %s, false)", [role])
        with pytest.raises(errors.InsufficientPrivilege):
            connection.execute(statement.encode(), {"tenant": tenant})

    assert (await verify_chain(database, tenant)).entries == 2


@pytest.mark.parametrize(
    ("statements", "broken_at"),
    [
        (["UPDATE audit_entry SET actor = 'x' WHERE tenant_id = %(tenant)s AND number = 3"], 3),
        (["UPDATE audit_entry SET address = NULL WHERE tenant_id = %(tenant)s AND number = 3"], 3),
        (["UPDATE audit_entry SET at = at + '1 us' WHERE tenant_id = %(tenant)s AND number = 2"], 2),
        (["UPDATE audit_entry SET after_hash = before_hash WHERE tenant_id = %(tenant)s AND number = 6"], 6),
        (["UPDATE audit_detail SET object = 'c-9' WHERE tenant_id = %(tenant)s AND number = 4"], 4),
        (["UPDATE audit_detail SET reason = NULL WHERE tenant_id = %(tenant)s AND number = 4"], 4),
        (["DELETE FROM audit_detail WHERE tenant_id = %(tenant)s AND number = 4"], 4),
        (
            [ERASE.format(6)],
            6,
        ),
        (
            [ERASE.format(99)],
            99,
        ),
        (["DELETE FROM audit_entry WHERE tenant_id = %(tenant)s AND number = 1"], 1),
        (["DELETE FROM audit_entry WHERE tenant_id = %(tenant)s AND number = 3"], 3),
        (["DELETE FROM audit_entry WHERE tenant_id = %(tenant)s AND number = 6"], 6),
        (["DELETE FROM audit_entry WHERE tenant_id = %(tenant)s"], 1),
        (["DELETE FROM audit_chain WHERE tenant_id = %(tenant)s"], 6),
        (
            [
                "UPDATE audit_entry SET number = 100 WHERE tenant_id = %(tenant)s AND number = 2",
                "UPDATE audit_entry SET number = 2 WHERE tenant_id = %(tenant)s AND number = 3",
                "UPDATE audit_entry SET number = 3 WHERE tenant_id = %(tenant)s AND number = 100",
            ],
            2,
        ),
        (
            ["UPDATE audit_entry SET actor = 'x', hash = prior_hash WHERE tenant_id = %(tenant)s AND number = 5"],
            5,
        ),
    ],
)
async def test_what_was_cut_changed_moved_or_removed_is_found_at_its_place(
    settings: Settings, database: Database, tenant: str, statements: list[str], broken_at: int
) -> None:
    await act_often(database, tenant, 6)
    tamper(settings, *statements, tenant=tenant)

    report = await verify_chain(database, tenant)

    assert (report.is_whole, report.broken_at) == (False, broken_at)
    assert report.problem != ""


async def test_a_log_that_was_rewritten_with_its_head_is_found_by_an_anchor(
    settings: Settings, database: Database, tenant: str
) -> None:
    await act_often(database, tenant, 6)
    anchor = (await verify_chain(database, tenant)).anchor
    early = Anchor(3, [act async for act in export_acts(database, tenant)][2]["hash"])
    tamper(
        settings,
        "DELETE FROM audit_entry WHERE tenant_id = %(tenant)s",
        "DELETE FROM audit_detail WHERE tenant_id = %(tenant)s",
        "DELETE FROM audit_chain WHERE tenant_id = %(tenant)s",
        tenant=tenant,
    )
    emptied = await verify_chain(database, tenant, anchors=(anchor,))
    await act_often(database, tenant, 5)

    unaided = await verify_chain(database, tenant)
    shorter = await verify_chain(database, tenant, anchors=(anchor,))
    other = await verify_chain(database, tenant, anchors=(read_anchor(str(early)),))

    assert unaided.is_whole
    assert [one.is_whole for one in (emptied, shorter, other)] == [False, False, False]
    assert (shorter.broken_at, other.broken_at) == (6, 3)


async def test_an_export_can_be_verified_by_what_it_says_alone(database: Database, tenant: str) -> None:
    await act_often(database, tenant, 3)

    acts = [act async for act in export_acts(database, tenant)]

    prior = "00" * 32
    for act in acts:
        detail = b"".join(
            f"{len(act[name].encode())}:{act[name]},".encode() for name in ("object", "conversation", "reason")
        )
        assert hashlib.sha256(bytes.fromhex(act["salt"]) + detail).hexdigest() == act["detail_hash"]
        at = act["at"].astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        named = [act[name] for name in ("actor", "role", "address", "operation", "object_kind")]
        hashes = [act[name] for name in ("before_hash", "after_hash", "detail_hash")]
        fields = ["fte audit 1", tenant, str(act["number"]), at, *named, *hashes, prior]
        joined = "".join(f"{len(field)}:{field}," for field in fields)
        assert hashlib.sha256(joined.encode()).hexdigest() == act["hash"]
        prior = act["hash"]


async def test_a_chain_of_several_pages_is_read_a_page_at_a_time(
    settings: Settings, database: Database, tenant: str
) -> None:
    with connect(settings.database_url or "") as connection:
        fill(connection, tenant, 2 * PAGE_ENTRIES + 1)

    report = await verify_chain(database, tenant)

    assert (report.is_whole, report.entries) == (True, 2 * PAGE_ENTRIES + 1)


def fill(connection: psycopg.Connection[Any], tenant: str, entries: int) -> None:
    """Append many entries, a hundred in a transaction: each updates the head, whose old versions stay until its end."""
    connection.execute("SELECT set_config('fte.tenant', %s, false)", [tenant])
    for first in range(1, entries + 1, 100):
        connection.execute(
            "SELECT append_audit_entry(%s, 'ann', 'operator', NULL, 'ticket.opened', 'ticket', NULL, NULL, "
            "'salt', 'T-' || n, NULL, NULL) FROM generate_series(%s::int, %s::int) AS n",
            [tenant, first, min(first + 99, entries)],
        )


@pytest.mark.parametrize("text", ["", "3", "3:", "x:" + "0" * 64, "3:" + "g" * 64, "3:" + "0" * 63, "-3:" + "0" * 64])
def test_an_anchor_that_is_none_is_refused_with_its_form(text: str) -> None:
    with pytest.raises(AnchorInvalid, match="give NUMBER:HASH"):
        read_anchor(text)
