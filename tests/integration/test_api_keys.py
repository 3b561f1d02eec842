"""API keys are verified against PostgreSQL: what may not be used is refused, and a revoked one stops soon."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ops.tenants.keys import (
    KeyGone,
    KeyRequest,
    KeyRequestInvalid,
    KeyUnknown,
    create_key,
    list_keys,
    revoke_key,
    rotate_key,
)
from runtime.api_keys import OPERATOR, VIEW_SECONDS_MAX, AddressSlowed, ApiKeys, KeyRefused, Principal, make_key
from runtime.database import Database
from schema.errors import ServerUnreachable, UnknownTenant
from schema.settings import Settings

HERE = "192.0.2.7"
FOR_MESSAGES = KeyRequest("the SMS gateway", ("messages:write", "outbound:read"), person="Ada")


class Clock:
    """A monotonic clock that moves when told to."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keys(database: Database, clock: Clock) -> ApiKeys:
    return ApiKeys(database, clock=clock)


async def make(database: Database, tenant: str, **changes: Any) -> tuple[str, str]:
    """Make a key; gives its id and its text."""
    given: dict[str, Any] = {"label": "a test's", "scopes": ("messages:write",), "now": datetime.now(UTC), **changes}
    now = given.pop("now")
    made = await create_key(database, tenant, KeyRequest(**given), by="a test", now=now)
    return made.row["key_id"], made.text


async def reason_of(keys: ApiKeys, text: str, address: str = HERE) -> str:
    with pytest.raises(KeyRefused) as refused:
        await keys.verify(text, address)
    assert "not accepted" in str(refused.value)
    return refused.value.reason


async def test_a_key_speaks_for_its_tenant_with_its_scopes(database: Database, keys: ApiKeys, tenant: str) -> None:
    made = await create_key(database, tenant, FOR_MESSAGES, by="a test", now=datetime.now(UTC))

    principal = await keys.verify(made.text, HERE)

    assert principal == Principal(
        made.row["key_id"], tenant, frozenset({"messages:write", "outbound:read"}), person="Ada"
    )


async def test_only_the_hash_of_a_key_is_stored(database: Database, settings: Settings, tenant: str) -> None:
    _, text = await make(database, tenant)
    secret = text.rpartition("_")[2]

    async with database.transaction(tenant) as transaction:
        cursor = await transaction.connection.execute("SELECT k::text AS row FROM api_key k")
        rows = [row["row"] for row in await cursor.fetchall()]

    assert len(rows) == 1
    assert secret not in rows[0]
    assert secret.encode().hex() not in rows[0]


async def test_what_may_not_be_used_is_refused_with_one_text_and_its_reason_for_the_log(
    database: Database, keys: ApiKeys, tenant: str
) -> None:
    now = datetime.now(UTC)
    key_id, text = await make(database, tenant)
    other = make_key().text
    revoked_id, revoked = await make(database, tenant)
    await revoke_key(database, tenant, revoked_id, by="a test", now=now)
    hour = timedelta(hours=1)
    _, expired = await make(database, tenant, expires_at=now - hour, now=now - 2 * hour)
    _, elsewhere = await make(database, tenant, addresses=("198.51.100.0/24",))
    spliced = f"fte_{key_id}_{other.rpartition('_')[2]}"

    reasons = [
        await reason_of(keys, presented, f"192.0.2.{at}")
        for at, presented in enumerate((other, spliced, revoked, expired, elsewhere, text[:-1] + "!", "", "Bearer x"))
    ]

    assert reasons == ["unknown", "wrong", "revoked", "expired", "address", "malformed", "malformed", "malformed"]


async def test_a_revoked_key_stops_within_five_seconds(
    database: Database, keys: ApiKeys, clock: Clock, tenant: str
) -> None:
    key_id, text = await make(database, tenant)
    await keys.verify(text, HERE)
    await revoke_key(database, tenant, key_id, by="a test", now=datetime.now(UTC))

    clock.now += VIEW_SECONDS_MAX - 0.01
    still = await keys.verify(text, HERE)
    clock.now += 0.02

    assert still.key_id == key_id
    assert await reason_of(keys, text) == "revoked"
    assert VIEW_SECONDS_MAX < 5


async def test_a_key_comes_from_its_networks_alone(database: Database, keys: ApiKeys, tenant: str) -> None:
    _, text = await make(database, tenant, addresses=("192.0.2.0/30", "2001:db8::/32"))

    for address in ("192.0.2.3", "::ffff:192.0.2.3", "2001:db8::1"):
        assert (await keys.verify(text, address)).tenant == tenant
    for address in ("192.0.2.4", "2001:db9::1", "::ffff:192.0.2.4", "unknown"):
        assert await reason_of(keys, text, address) == "address"


async def test_wrong_keys_slow_an_address_and_nobody_else_nor_a_key_that_was_right(
    database: Database, keys: ApiKeys, clock: Clock, tenant: str
) -> None:
    _, known = await make(database, tenant)
    _, fresh = await make(database, tenant)
    await keys.verify(known, HERE)

    for _ in range(10):
        await reason_of(keys, make_key().text)
    with pytest.raises(AddressSlowed) as slowed:
        await keys.verify(fresh, HERE)
    clock.now += VIEW_SECONDS_MAX + 1
    again = await keys.verify(known, HERE)
    elsewhere = await keys.verify(fresh, "192.0.2.8")
    clock.now += 1

    assert 1 <= slowed.value.retry_after_s <= 6
    assert (again.tenant, elsewhere.tenant) == (tenant, tenant)
    assert (await keys.verify(fresh, HERE)).tenant == tenant


async def test_a_slowed_address_covers_the_network_of_an_ipv6_one(keys: ApiKeys) -> None:
    for at in range(10):
        await reason_of(keys, make_key().text, f"2001:db8::{at:x}")

    with pytest.raises(AddressSlowed):
        await keys.verify(make_key().text, "2001:db8::ffff:1")
    assert await reason_of(keys, make_key().text, "2001:db8:0:1::1") == "unknown"


async def test_both_keys_are_accepted_during_a_rotation_and_then_the_new_one_alone(
    database: Database, keys: ApiKeys, clock: Clock, tenant: str
) -> None:
    now = datetime.now(UTC)
    key_id, old = await make(database, tenant, scopes=("admin",), addresses=("192.0.2.0/24",))

    made = await rotate_key(database, tenant, key_id, overlap=timedelta(hours=1), by="a test", now=now)
    both = [await keys.verify(text, HERE) for text in (old, made.text)]
    await rotate_key(database, tenant, key_id, overlap=timedelta(), by="a test", now=now)
    clock.now += 5

    assert [principal.scopes for principal in both] == [frozenset({"admin"})] * 2
    assert made.row["addresses"] == ["192.0.2.0/24"]
    assert await reason_of(keys, old) == "revoked"
    assert (await keys.verify(made.text, HERE)).key_id == made.row["key_id"]
    with pytest.raises(KeyGone):
        await rotate_key(database, tenant, key_id, overlap=timedelta(), by="a test", now=now)


async def test_the_hour_of_a_keys_last_use_is_noted_and_of_a_wrong_one_nothing(
    database: Database, keys: ApiKeys, tenant: str
) -> None:
    key_id, text = await make(database, tenant)
    spliced = f"fte_{key_id}_{make_key().text.rpartition('_')[2]}"

    await reason_of(keys, spliced)
    unused = await list_keys(database, tenant)
    await keys.verify(text, HERE)
    used = await list_keys(database, tenant)

    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    assert unused[0]["last_used_at"] is None
    assert used[0]["last_used_at"] in {hour, hour - timedelta(hours=1)}


async def test_a_key_is_only_made_for_a_tenant_that_exists_and_in_its_own_scope(
    database: Database, tenant: str, other_tenant: str
) -> None:
    with pytest.raises(UnknownTenant):
        await make(database, "nobody")
    key_id, _ = await make(database, other_tenant)

    with pytest.raises(KeyUnknown):
        await revoke_key(database, tenant, key_id, by="a test", now=datetime.now(UTC))
    assert await list_keys(database, tenant) == []


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"label": ""}, "label"),
        ({"scopes": ()}, "scopes: none"),
        ({"scopes": ("everything",)}, "scopes: everything"),
        ({"expires_at": datetime(2020, 1, 1, tzinfo=UTC)}, "has passed"),
        ({"addresses": ("192.0.2.1/24",)}, "host bits"),
        ({"addresses": ("10.0.0.0/8",) * 51}, "at most 50"),
    ],
)
async def test_a_request_that_makes_no_key_is_refused(
    database: Database, tenant: str, changes: dict[str, Any], problem: str
) -> None:
    with pytest.raises(KeyRequestInvalid, match=problem):
        await make(database, tenant, **changes)
    assert await list_keys(database, tenant) == []


async def test_a_key_of_operators_administers_and_does_nothing_else(database: Database, keys: ApiKeys) -> None:
    _, text = await make(database, OPERATOR, scopes=("admin",))

    assert (await keys.verify(text, HERE)).tenant == OPERATOR
    with pytest.raises(KeyRequestInvalid, match="admin alone"):
        await make(database, OPERATOR, scopes=("admin", "messages:write"))


async def test_without_postgresql_a_key_that_is_not_known_is_not_decided(settings: Settings) -> None:
    database = Database(settings.model_copy(update={"database_url": "postgresql://127.0.0.1:1/none"}))

    with pytest.raises(ServerUnreachable, match="PostgreSQL"):
        await ApiKeys(database).verify(make_key().text, HERE)


@pytest.fixture
async def elsewhere(settings: Settings) -> AsyncIterator[ApiKeys]:
    """Another process's view."""
    database = Database(settings)
    await database.open()
    yield ApiKeys(database)
    await database.close()


async def test_another_process_knows_a_key_at_once(database: Database, elsewhere: ApiKeys, tenant: str) -> None:
    _, text = await make(database, tenant)

    assert (await elsewhere.verify(text, HERE)).tenant == tenant
