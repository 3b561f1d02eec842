"""What API keys may administer over HTTP: a tenant's own key its tenant, an operator's all of them, others nothing."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from ops.audit.reading import ActFilter, list_acts
from ops.console.tenants import tenants_router
from ops.tenants.keys import KeyRequest, create_key, list_keys
from ops.tenants.settings import list_changes, read_tenant, suspend_tenant
from runtime.api_keys import OPERATOR
from runtime.database import Database
from runtime.switches import read_switches
from schema.settings import Settings
from tests.integration.http_gateway import Here, make_key, message, serve_here

Client = Any
SETTINGS = "/v1/admin/tenants/{tenant}/settings"


@pytest.fixture(scope="module")
async def gateway(settings: Settings) -> AsyncIterator[Here]:
    """Serve operators too."""
    async with serve_here(settings, routers=[tenants_router(settings)]) as here:
        yield here


@pytest.fixture
async def as_operator(gateway: Here, database: Database) -> AsyncIterator[Client]:
    request = KeyRequest("a test's", ("admin",), person="Olga")
    made = await create_key(database, OPERATOR, request, by="a test", now=datetime.now(UTC))
    async with gateway.client(made.text) as client:
        yield client


@pytest.fixture
async def as_tenant(gateway: Here, database: Database, tenant: str) -> AsyncIterator[Client]:
    async with gateway.client(await make_key(database, tenant, "admin", person="Ada")) as client:
        yield client


async def test_a_tenants_own_key_reads_and_changes_its_settings(
    as_tenant: Client, database: Database, tenant: str
) -> None:
    path = f"/v1/admin/tenants/{tenant}"
    change = {"settings": {"brand": "Nordwind", "emergency_number": "113"}, "reason": "pilot"}

    before = await as_tenant.get(path)
    changed = await as_tenant.patch(f"{path}/settings", json=change, headers={"If-Match": before.headers["ETag"]})
    stale = await as_tenant.patch(f"{path}/settings", json=change, headers={"If-Match": before.headers["ETag"]})
    wrong = await as_tenant.patch(f"{path}/settings", json={"settings": {"brandt": "x"}})
    history = await as_tenant.get(f"{path}/changes")
    undone = await as_tenant.post(f"{path}/undo", json={})

    assert (before.status_code, before.json()["version"], before.headers["ETag"]) == (200, 0, '"0"')
    assert (changed.status_code, changed.json()["settings"]) == (200, change["settings"])
    assert changed.json()["effective"]["brand"] == "Nordwind"
    assert (stale.status_code, wrong.status_code) == (409, 422)
    assert "brandt: no such setting" in wrong.json()["detail"]
    assert [(row["changed_by"], row["reason"]) for row in history.json()] == [("Ada", "pilot")]
    assert undone.json()["settings"] == {}
    assert len(await list_changes(database, tenant)) == 2


async def test_what_costs_the_deployment_is_changed_by_operators_alone_also_by_an_undo(
    as_tenant: Client, as_operator: Client, database: Database, tenant: str
) -> None:
    path = f"/v1/admin/tenants/{tenant}"
    patches: list[dict[str, Any]] = [
        {"limits": {"streams": 1_000}},
        {"ceilings": {"usd_per_day": 1_000}},
        {"model": "local"},
        {"retention": {"spans_days": 1}},
    ]

    refused = [await as_tenant.patch(f"{path}/settings", json={"settings": patch}) for patch in patches]
    raised = await as_operator.patch(f"{path}/settings", json={"settings": {"limits": {"streams": 50}}})
    lowered = await as_operator.patch(f"{path}/settings", json={"settings": {"limits": {"streams": 5}}})
    back = await as_tenant.post(f"{path}/undo", json={"version": 1})
    harmless = await as_tenant.patch(f"{path}/settings", json={"settings": {"brand": "Mine"}})

    assert [answer.status_code for answer in refused] == [403] * 4
    assert (raised.status_code, lowered.status_code, back.status_code) == (200, 200, 403)
    assert "limits; ask them" in back.json()["detail"]
    assert harmless.json()["settings"] == {"brand": "Mine", "limits": {"streams": 5}}
    assert (await read_tenant(database, tenant)).settings.limits.streams == 5


async def test_keys_are_made_listed_rotated_and_revoked_and_shown_once(
    as_tenant: Client, gateway: Here, database: Database, tenant: str
) -> None:
    path = f"/v1/admin/tenants/{tenant}/keys"
    made = await as_tenant.post(path, json={"label": "SMS", "scopes": ["messages:write"]})
    key_id, text = made.json()["key_id"], made.json()["key"]
    async with gateway.client(text) as client:
        sent = await client.post("/v1/messages", json=message(uuid.uuid4().hex))
    rotated = await as_tenant.post(f"{path}/{key_id}/rotate", json={"overlap_seconds": 0})
    again = await as_tenant.post(f"{path}/{key_id}/rotate", json={})
    revoked = await as_tenant.delete(f"{path}/{rotated.json()['key_id']}")
    unknown = await as_tenant.delete(f"{path}/{'a' * 12}")
    listed = await as_tenant.get(path)

    assert (made.status_code, sent.status_code, rotated.status_code) == (201, 202, 201)
    assert (again.status_code, revoked.status_code, unknown.status_code) == (409, 204, 404)
    assert [row["label"] for row in listed.json()] == ["a test's", "SMS", "SMS"]
    assert text not in listed.text
    assert len(await list_keys(database, tenant)) == 3


async def test_an_operator_makes_suspends_and_deletes_tenants(as_operator: Client, database: Database) -> None:
    name = f"t{uuid.uuid4().hex[:12]}"
    path = f"/v1/admin/tenants/{name}"

    made = await as_operator.post("/v1/admin/tenants", json={"tenant": name, "settings": {"brand": "New"}})
    taken = await as_operator.post("/v1/admin/tenants", json={"tenant": name})
    listed = await as_operator.get("/v1/admin/tenants")
    early = await as_operator.delete(path)
    suspended = await as_operator.post(f"{path}/suspend", json={"because": "unpaid"})
    resumed = await as_operator.post(f"{path}/resume")
    await suspend_tenant(database, name, by="a test", because="left")
    deleted = await as_operator.delete(path)
    gone = await as_operator.get(path)

    assert (made.status_code, taken.status_code, early.status_code) == (201, 409, 409)
    assert name in [row["tenant_id"] for row in listed.json()]
    assert (suspended.json()["is_suspended"], resumed.json()["is_suspended"]) == (True, False)
    assert (deleted.json()["is_finished"], deleted.json()["requested_by"]) == (True, "Olga")
    assert gone.status_code == 404


async def test_an_operator_is_refused_what_the_deployment_cannot_carry_out(as_operator: Client, tenant: str) -> None:
    given = {"retention": {"spans_days": 15}}
    path = f"/v1/admin/tenants/{tenant}"

    changed = await as_operator.patch(f"{path}/settings", json={"settings": given})
    made = await as_operator.post("/v1/admin/tenants", json={"tenant": f"{tenant}x", "settings": given})
    kept = await as_operator.get(path)

    for refused in (changed, made):
        assert refused.status_code == 422
        assert "retention.spans_days: 15 days are more than the deployment's 14" in refused.json()["detail"]
    assert kept.json()["version"] == 0


async def test_what_is_administered_over_http_is_on_record_with_the_keys_person_and_the_address(
    as_tenant: Client, as_operator: Client, tenant: str
) -> None:
    path = f"/v1/admin/tenants/{tenant}"

    await as_tenant.patch(f"{path}/settings", json={"settings": {"brand": "Nordwind"}, "reason": "pilot"})
    await as_operator.post(f"{path}/suspend", json={"because": "unpaid"})
    await as_operator.post(f"{path}/resume")
    listed = (await as_tenant.get(f"{path}/audit", params={"limit": 2})).json()
    older = (await as_tenant.get(f"{path}/audit", params={"before": listed[-1]["number"]})).json()
    verified = (await as_tenant.get(f"{path}/audit/verification")).json()
    held = await as_tenant.get(f"{path}/audit/verification", params={"anchor": verified["anchor"]})
    wrong = await as_tenant.get(f"{path}/audit/verification", params={"anchor": "7"})

    acts = [(act["operation"], act["actor"], act["role"], act["reason"]) for act in listed + older]
    assert acts[:3] == [
        ("tenant.resumed", "Olga", "operator", None),
        ("tenant.suspended", "Olga", "operator", "unpaid"),
        ("tenant.changed", "Ada", "admin", "pilot"),
    ]
    assert {act["address"] for act in listed} == {"127.0.0.1"}
    assert (verified["is_whole"], verified["entries"]) == (True, len(acts))
    assert (held.json()["is_whole"], wrong.status_code) == (True, 422)


async def test_an_operator_exports_and_erases_a_person(
    as_operator: Client, gateway: Here, database: Database, tenant: str
) -> None:
    path = f"/v1/admin/tenants/{tenant}/privacy"
    async with gateway.client(await make_key(database, tenant, "messages:write")) as client:
        sent = await client.post("/v1/messages", json=message(uuid.uuid4().hex))
    person = {"person": "{channel}:{sender}".format(**message("x"))}

    exported = await as_operator.post(f"{path}/export", json=person)
    counted = await as_operator.post(f"{path}/erasure", json=person)
    erased = await as_operator.post(f"{path}/erasure", json=person | {"confirm": True, "reason": "asked"})
    again = await as_operator.post(f"{path}/export", json=person)
    wrong = await as_operator.post(f"{path}/erasure", json={"person": "ada"})

    assert (sent.status_code, exported.status_code, len(exported.json())) == (202, 200, 1)
    assert (counted.json()["is_dry_run"], counted.json()["conversations"]) == (True, 1)
    assert (erased.json()["is_dry_run"], erased.json()["rows"]["inbox"]) == (False, 1)
    assert (again.json(), wrong.status_code) == ([], 422)


ROUTES: tuple[tuple[str, str, Any], ...] = (
    ("GET", "/v1/admin/tenants", None),
    ("POST", "/v1/admin/tenants", {"tenant": "mine"}),
    ("POST", "/v1/admin/tenants/{tenant}/suspend", {"because": "x"}),
    ("POST", "/v1/admin/tenants/{tenant}/resume", None),
    ("DELETE", "/v1/admin/tenants/{tenant}", None),
    ("POST", "/v1/admin/tenants/{tenant}/privacy/erasure", {"person": "sms:+15550100", "confirm": True}),
    ("POST", "/v1/admin/tenants/{tenant}/privacy/export", {"person": "sms:+15550100"}),
    ("GET", "/v1/admin/switches", None),
    ("PUT", "/v1/admin/switches/channel:sms", {"reason": "nobody may"}),
    ("DELETE", "/v1/admin/switches/channel:sms", None),
    ("GET", "/v1/admin/tenants/{tenant}", None),
    ("PATCH", SETTINGS, {"settings": {"brand": "Stolen"}}),
    ("GET", "/v1/admin/tenants/{tenant}/changes", None),
    ("POST", "/v1/admin/tenants/{tenant}/undo", {}),
    ("GET", "/v1/admin/tenants/{tenant}/keys", None),
    ("POST", "/v1/admin/tenants/{tenant}/keys", {"label": "x", "scopes": ["admin"]}),
    ("POST", "/v1/admin/tenants/{tenant}/keys/aaaaaaaaaaaa/rotate", {}),
    ("DELETE", "/v1/admin/tenants/{tenant}/keys/aaaaaaaaaaaa", None),
    ("GET", "/v1/admin/tenants/{tenant}/audit", None),
    ("GET", "/v1/admin/tenants/{tenant}/audit/verification", None),
)
FOR_OPERATORS = 10
"""So many of them, from the first, are for operators alone."""

MakeKey = Callable[[Database, str, str], Awaitable[str]]


async def foreign(database: Database, _tenant: str, other: str) -> str:
    return await make_key(database, other, "admin")


async def under_scoped(database: Database, tenant: str, _other: str) -> str:
    return await make_key(database, tenant, "messages:write", "outbound:read", "conversations:read", "desk")


@pytest.mark.parametrize("make", [foreign, under_scoped])
@pytest.mark.parametrize(("method", "path", "body"), ROUTES, ids=lambda value: value if isinstance(value, str) else "")
async def test_no_key_administers_what_is_not_its_own(
    gateway: Here,
    database: Database,
    tenant: str,
    other_tenant: str,
    make: MakeKey,
    method: str,
    path: str,
    body: Any,
) -> None:
    before = await read_tenant(database, tenant)
    async with gateway.client(await make(database, tenant, other_tenant)) as client:
        answer = await client.request(method, path.replace("{tenant}", tenant), json=body)

    assert answer.status_code == 403
    assert answer.headers["content-type"] == "application/problem+json"
    assert await read_tenant(database, tenant) == before
    assert [row["label"] for row in await list_keys(database, tenant)] in ([], ["a test's"])


async def test_every_route_of_the_administration_stands_in_the_table(gateway: Here, as_operator: Client) -> None:
    document = (await as_operator.get("/v1/openapi.json")).json()
    served = {
        (method.upper(), path)
        for path, operations in document["paths"].items()
        if path.startswith("/v1/admin/")
        for method in operations
    }

    assert served == {
        (method, path.replace("aaaaaaaaaaaa", "{key_id}").replace("channel:sms", "{switch}"))
        for method, path, _ in ROUTES
    }


@pytest.mark.parametrize(("method", "path", "body"), ROUTES[:FOR_OPERATORS], ids=lambda value: str(value)[:40])
async def test_a_tenants_own_key_is_no_operators(
    as_tenant: Client, database: Database, tenant: str, method: str, path: str, body: Any
) -> None:
    answer = await as_tenant.request(method, path.replace("{tenant}", tenant), json=body)

    assert answer.status_code == 403
    assert "fte keys create --operator" in answer.json()["detail"]
    assert not (await read_tenant(database, tenant)).is_suspended


async def test_a_process_that_is_not_told_to_serves_no_operator(
    settings: Settings, database: Database, tenant: str
) -> None:
    made = await create_key(database, OPERATOR, KeyRequest("x", ("admin",)), by="a test", now=datetime.now(UTC))
    async with (
        serve_here(settings, routers=[tenants_router()]) as here,
        here.client(made.text) as operator,
        here.client(await make_key(database, tenant, "admin")) as own,
    ):
        refused = [await operator.get(path) for path in ("/v1/admin/tenants", f"/v1/admin/tenants/{tenant}")]
        sent = await operator.post("/v1/messages", json=message("m-1"))
        served = await own.get(f"/v1/admin/tenants/{tenant}")

    assert [answer.status_code for answer in refused] == [403, 403]
    assert "fte gateway --operators" in refused[0].json()["detail"]
    assert sent.status_code == 403
    assert served.status_code == 200


async def test_a_suspended_tenants_key_administers_nothing(as_tenant: Client, database: Database, tenant: str) -> None:
    await suspend_tenant(database, tenant, by="a test", because="x")

    assert (await as_tenant.get(f"/v1/admin/tenants/{tenant}")).status_code == 403


async def test_an_operator_switches_something_off_and_on_again(
    as_operator: Client, database: Database, tenant: str
) -> None:
    path = "/v1/admin/switches/tool:confirm_quote"
    body = {"reason": "seats are sold twice", "seconds": 7_200}

    off = await as_operator.put(path, params={"tenant": tenant}, json=body)
    listed = await as_operator.get("/v1/admin/switches")
    on = await as_operator.delete(path, params={"tenant": tenant})
    again = await as_operator.delete(path, params={"tenant": tenant})

    assert (off.status_code, off.json()["by"], off.json()["reason"]) == (200, "Olga", "seats are sold twice")
    until = datetime.fromisoformat(off.json()["off_until"]) - datetime.fromisoformat(off.json()["off_at"])
    assert until.total_seconds() == 7_200
    assert off.json() in listed.json()
    assert on.json() == off.json()
    assert again.status_code == 404
    acts = await list_acts(database, tenant, ActFilter(None), 10)
    assert [(act["operation"], act["actor"]) for act in acts] == [
        ("switch.turned_on", "Olga"),
        ("switch.turned_off", "Olga"),
    ]


async def test_an_operator_pauses_all_work_and_ends_the_pause(as_operator: Client, database: Database) -> None:
    paused = await as_operator.put("/v1/admin/switches/turns", json={"reason": "an index is built", "seconds": 60})
    off = await read_switches(database)
    await as_operator.delete("/v1/admin/switches/turns")

    assert (paused.json()["kind"], paused.json()["tenant"]) == ("turns", None)
    assert [switch.reason for switch in off if switch.kind == "turns"] == ["an index is built"]
    assert not [switch for switch in await read_switches(database) if switch.kind == "turns"]


@pytest.mark.parametrize(
    ("named", "body", "status", "told"),
    [
        ("tool:confirm_qoute", {"reason": "a slip"}, 422, "confirm_quote"),
        ("gate:a1", {"reason": "no such kind"}, 422, "KIND:NAME"),
        ("channel:fax", {"reason": "no such channel"}, 422, "sms"),
        ("channel:sms", {"reason": " "}, 422, "reason"),
        ("channel:sms", {"reason": "for how long", "seconds": 0}, 422, "seconds"),
        ("channel:sms?tenant=nobody-of-that-name", {"reason": "whose"}, 404, "nobody-of-that-name"),
    ],
)
async def test_what_cannot_be_switched_is_refused_and_nothing_is_off(
    as_operator: Client, named: str, body: dict[str, Any], status: int, told: str
) -> None:
    refused = await as_operator.put(f"/v1/admin/switches/{named}", json=body)

    assert refused.status_code == status
    assert told in refused.text
    assert (await as_operator.get("/v1/admin/switches")).json() == []
