"""No key that may not do a thing gets it done: every route, every kind of wrong key, and what the mailbox says."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from ops.console.contract import contract_path
from ops.console.desk import desk_router
from ops.console.tenants import tenants_router
from ops.tenants.keys import KeyRequest, create_key, revoke_key
from ops.tenants.settings import suspend_tenant
from runtime.api_keys import ApiKeys, make_key
from runtime.database import EVERY_TENANT, Database
from schema.settings import Settings
from tests.integration.desk_scene import DESK_ROUTES, add_person
from tests.integration.http_gateway import EVERY_SCOPE, Here, message, serve_here

Headers = dict[str, str]


@dataclass(frozen=True)
class Route:
    """One operation of the contract, how it is asked for, and the scope that it needs (None: open to all)."""

    method: str
    path: str
    scope: str | None
    body: Any = None


OPERATORS = "an operator's key"
ROUTES = (
    Route("POST", "/v1/messages", "messages:write", message("table-1")),
    Route("POST", "/v1/messages/batch", "messages:write", {"messages": [message("table-2")]}),
    Route("GET", "/v1/replies", "outbound:read"),
    Route("GET", "/v1/escalations", "outbound:read"),
    Route("GET", "/v1/events", "outbound:read"),
    Route("POST", "/v1/replies/ack", "outbound:read", {"id": "chat:1-0"}),
    Route("POST", "/v1/escalations/ack", "outbound:read", {"id": "escalations:1-0"}),
    Route("POST", "/v1/events/ack", "outbound:read", {"id": "events:1-0"}),
    Route("GET", "/v1/conversations/{conversation}", "conversations:read"),
    Route("GET", "/v1/conversations/{conversation}/messages", "conversations:read"),
    Route("GET", "/v1/admin/tenants", OPERATORS),
    Route("POST", "/v1/admin/tenants", OPERATORS, {"tenant": "made-by-nobody"}),
    Route("POST", "/v1/admin/tenants/{tenant}/suspend", OPERATORS, {"because": "no reason"}),
    Route("POST", "/v1/admin/tenants/{tenant}/resume", OPERATORS),
    Route("DELETE", "/v1/admin/tenants/{tenant}", OPERATORS),
    Route("GET", "/v1/admin/tenants/{tenant}", "admin"),
    Route("PATCH", "/v1/admin/tenants/{tenant}/settings", "admin", {"settings": {"brand": "Nobody Air"}}),
    Route("GET", "/v1/admin/tenants/{tenant}/changes", "admin"),
    Route("POST", "/v1/admin/tenants/{tenant}/undo", "admin", {}),
    Route("GET", "/v1/admin/tenants/{tenant}/keys", "admin"),
    Route("POST", "/v1/admin/tenants/{tenant}/keys", "admin", {"label": "x", "scopes": ["messages:write"]}),
    Route("POST", "/v1/admin/tenants/{tenant}/keys/{key_id}/rotate", "admin", {}),
    Route("DELETE", "/v1/admin/tenants/{tenant}/keys/{key_id}", "admin"),
    Route("GET", "/v1/admin/tenants/{tenant}/audit", "admin"),
    Route("GET", "/v1/admin/tenants/{tenant}/audit/verification", "admin"),
    Route("POST", "/v1/admin/tenants/{tenant}/privacy/erasure", OPERATORS, {"person": "chat:ada"}),
    Route("POST", "/v1/admin/tenants/{tenant}/privacy/export", OPERATORS, {"person": "chat:ada"}),
    Route("GET", "/v1/admin/switches", OPERATORS),
    Route("PUT", "/v1/admin/switches/{switch}", OPERATORS, {"reason": "nobody may"}),
    Route("DELETE", "/v1/admin/switches/{switch}", OPERATORS),
    *(Route(method, path, "desk", body) for method, path, body in DESK_ROUTES),
    Route("GET", "/v1/health/live", None),
    Route("GET", "/v1/health/ready", None),
)
GUARDED = [route for route in ROUTES if route.scope is not None]


def name_of(route: Route) -> str:
    return f"{route.method} {route.path}"


@pytest.fixture(scope="module")
async def gateway(settings: Settings) -> AsyncIterator[Here]:
    async with serve_here(settings, routers=[tenants_router(), desk_router(settings)]) as here:
        yield here


@pytest.fixture
def fresh(gateway: Here) -> Here:
    """Forget which keys were wrong, so that this test's address is not slowed for those of another."""
    gateway.server.parts.keys = ApiKeys(gateway.server.parts.database)
    return gateway


async def ask(here: Here, route: Route, headers: Headers, tenant: str = "default") -> httpx2.Response:
    names = {"switch": "channel:sms", "ticket": "T-c", "approval": "ap_" + "0" * 24, "person": "Ada"}
    path = route.path.format(conversation="c1", tenant=tenant, key_id="0" * 12, **names)
    async with here.client(None) as client:
        return await client.request(route.method, path, headers=headers, json=route.body)


async def count_accepted(database: Database) -> int:
    rows = await database.read(EVERY_TENANT, "count_backlog", messages_max=1_000_000)
    return sum(row["waiting"] for row in rows)


async def _unknown(_: Database, __: str, ___: str) -> Headers:
    return bearer(make_key().text)


async def _none(_: Database, __: str, ___: str) -> Headers:
    return {}


async def _mistyped(database: Database, tenant: str, _: str) -> Headers:
    text = await a_key(database, tenant)
    return bearer(text[:-1] + ("0" if text[-1] != "0" else "1"))


async def _wrong_secret(database: Database, tenant: str, _: str) -> Headers:
    right = (await a_key(database, tenant)).split("_")
    return bearer("_".join([*right[:2], make_key().text.split("_")[2]]))


async def _expired(database: Database, tenant: str, _: str) -> Headers:
    long_ago = datetime.now(UTC) - timedelta(hours=2)
    request = KeyRequest("expired", EVERY_SCOPE, expires_at=long_ago + timedelta(hours=1))
    return bearer((await create_key(database, tenant, request, by="a test", now=long_ago)).text)


async def _revoked(database: Database, tenant: str, _: str) -> Headers:
    made = await create_key(database, tenant, KeyRequest("r", EVERY_SCOPE), by="a test", now=datetime.now(UTC))
    await revoke_key(database, tenant, made.row["key_id"], by="a test", now=datetime.now(UTC))
    return bearer(made.text)


async def _elsewhere(database: Database, tenant: str, _: str) -> Headers:
    return bearer(await a_key(database, tenant, addresses=("192.0.2.0/24",)))


async def _basic(database: Database, tenant: str, _: str) -> Headers:
    return {"Authorization": f"Basic {await a_key(database, tenant)}"}


async def _too_long(_: Database, __: str, ___: str) -> Headers:
    return bearer("fte_" + "a" * 5_000)


async def _suspended(database: Database, tenant: str, _: str) -> Headers:
    text = await a_key(database, tenant)
    await suspend_tenant(database, tenant, by="a test", because="a test")
    return bearer(text)


async def _operators(database: Database, _: str, __: str) -> Headers:
    made = await create_key(database, "*", KeyRequest("ops", ("admin",)), by="a test", now=datetime.now(UTC))
    return bearer(made.text)


async def _under_scoped(database: Database, tenant: str, scope: str) -> Headers:
    others = tuple(one for one in EVERY_SCOPE if one != scope)
    return bearer(await a_key(database, tenant, *others))


async def a_key(database: Database, tenant: str, *scopes: str, **changes: Any) -> str:
    request = KeyRequest("a test's", scopes or EVERY_SCOPE, person="Ada" if "desk" in scopes else None, **changes)
    return (await create_key(database, tenant, request, by="a test", now=datetime.now(UTC))).text


def bearer(text: str) -> Headers:
    return {"Authorization": f"Bearer {text}"}


Wrong = Callable[[Database, str, str], Awaitable[Headers]]
WRONG: dict[str, tuple[Wrong, int, str]] = {
    "none": (_none, 401, "not-authenticated"),
    "basic": (_basic, 401, "not-authenticated"),
    "too long": (_too_long, 401, "not-authenticated"),
    "unknown": (_unknown, 401, "not-authenticated"),
    "mistyped": (_mistyped, 401, "not-authenticated"),
    "wrong secret": (_wrong_secret, 401, "not-authenticated"),
    "expired": (_expired, 401, "not-authenticated"),
    "revoked": (_revoked, 401, "not-authenticated"),
    "from elsewhere": (_elsewhere, 401, "not-authenticated"),
    "under-scoped": (_under_scoped, 403, "forbidden"),
    "an operator's": (_operators, 403, "forbidden"),
    "of a suspended tenant": (_suspended, 403, "tenant-suspended"),
}


def test_the_table_has_every_route_of_the_contract() -> None:
    document = json.loads(contract_path().read_text(encoding="utf-8"))
    found = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}

    assert {(route.method, route.path) for route in ROUTES} == found
    assert {route.path for route in ROUTES if route.scope is None} == {"/v1/health/live", "/v1/health/ready"}


@pytest.mark.parametrize("kind", WRONG)
@pytest.mark.parametrize("route", GUARDED, ids=name_of)
async def test_a_wrong_key_reaches_no_mailbox(
    fresh: Here, database: Database, tenant: str, redis: Any, route: Route, kind: str
) -> None:
    make, status, name = WRONG[kind]
    assert route.scope is not None
    headers = await make(database, tenant, route.scope)
    if route.scope == OPERATORS and status == 403:
        name = "forbidden"  # it is no operator's key, whatever else is wrong with it
    before = await count_accepted(database)

    answer = await ask(fresh, route, headers, tenant)

    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:fte:problem:{name}"), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert ("www-authenticate" in answer.headers) == (status == 401)
    assert await count_accepted(database) == before
    assert not [key async for key in redis.scan_iter(f"*{tenant}*")]


@pytest.mark.parametrize("route", [route for route in GUARDED if route.scope != OPERATORS], ids=name_of)
async def test_a_key_with_the_scope_of_a_route_alone_is_let_in(
    fresh: Here, database: Database, tenant: str, route: Route
) -> None:
    assert route.scope is not None
    await add_person(database, tenant, "Ada", "admin")  # the desk asks whose key it is, too
    answer = await ask(fresh, route, bearer(await a_key(database, tenant, route.scope)), tenant)

    assert answer.status_code in {200, 201, 202, 204, 404, 409}, answer.text


async def test_a_key_reaches_no_other_tenant(fresh: Here, database: Database, tenant: str, other_tenant: str) -> None:
    async with fresh.client(await a_key(database, other_tenant)) as theirs:
        await theirs.post("/v1/messages", json=message("m1", "theirs"))
    before = await count_accepted(database)

    async with fresh.client(await a_key(database, tenant)) as ours:
        sent = await ours.post("/v1/messages", json=message("m2") | {"tenant": other_tenant})
        batch = await ours.post("/v1/messages/batch", json={"messages": [message("m3") | {"tenant": other_tenant}]})
        seen = await ours.get("/v1/conversations/theirs")
        read = await ours.get("/v1/conversations/theirs/messages")

    assert [one.status_code for one in (sent, batch, seen, read)] == [403, 403, 404, 404]
    assert other_tenant not in sent.text
    assert await count_accepted(database) == before


async def test_an_address_that_tries_keys_is_slowed_and_told_for_how_long(fresh: Here) -> None:
    statuses = [(await ask(fresh, ROUTES[0], bearer(make_key().text))).status_code for _ in range(10)]
    slowed = await ask(fresh, ROUTES[0], bearer(make_key().text))

    assert statuses == [401] * 10
    assert slowed.status_code == 429
    assert slowed.json()["type"] == "urn:fte:problem:address-slowed"
    assert int(slowed.headers["retry-after"]) >= 1


async def test_a_path_that_does_not_exist_is_not_told_to_strangers(fresh: Here) -> None:
    async with fresh.client(None) as client:
        answer = await client.get("/v1/nothing")

    assert answer.status_code == 401
