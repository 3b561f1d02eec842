"""What the gateway serves is what its OpenAPI document says, which is checked in."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, assume
from hypothesis import settings as hypothesis_settings

from ops.console.contract import contract_path, contract_text
from ops.desk.people import set_person
from ops.standalone.gateways import run_gateway_beside
from ops.tenants.keys import KeyRequest, create_key
from ops.tenants.settings import change_settings
from producer.gateway.messages import BatchMessage, NewMessage
from producer.gateway.outbound import WAIT_SECONDS_MAX
from runtime.database import Database
from schema.messages.inbound import Inbound
from schema.settings import Settings
from tests.integration.conftest import add_tenant
from tests.integration.desk_scene import MACHINE
from tests.integration.http_gateway import fence, make_key, serve_here

SCOPES = ("messages:write", "outbound:read", "conversations:read")
EXAMPLES = int(os.environ.get("CONTRACT_EXAMPLES", "8"))
"""Requests tried of each operation; 450 make ten thousand in all."""
UNLIMITED = {"new_conversations_per_minute": 1_000_000, "messages_per_minute": 10_000_000, "streams": 1_000}


def test_the_document_that_is_checked_in_is_what_is_served() -> None:
    on_file = contract_path().read_text(encoding="utf-8")

    assert on_file == contract_text(), "run `python -m ops.console.contract` and commit the result"


def test_a_message_over_http_has_every_field_of_a_message_and_no_other() -> None:
    assert set(NewMessage.model_fields) == set(BatchMessage.model_fields) == set(Inbound.model_fields)
    for name, field in Inbound.model_fields.items():
        if name not in {"message_id", "tenant"}:
            assert NewMessage.model_fields[name].annotation == field.annotation


async def test_the_page_of_the_document_loads_nothing_from_elsewhere(settings: Settings) -> None:
    async with serve_here(settings) as here, here.client(None) as client:
        page = await client.get("/v1/docs")
        policy = page.headers["content-security-policy"]
        links = re.findall(r'(?:src|href)="([^"]+)"', page.text)
        files = [await client.get(f"/v1/{link}") for link in links]
        document = await client.get("/v1/openapi.json")
        outside = await client.get("/v1/docs/..%2F..%2Fdoor.py")

    assert len(links) == 3
    assert [file.status_code for file in files] == [200, 200, 200]
    assert "<script>" not in page.text  # inline, which the policy forbids
    assert "style=" not in page.text
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert document.json()["openapi"].startswith("3.1")
    assert outside.status_code in {404, 422}


@dataclass(frozen=True)
class Served:
    """A gateway in a process of its own, a key of a tenant without limits, and an operator's key."""

    url: str
    key: str
    operators_key: str
    persons_key: str
    """Of an admin at the tenant's desk."""


@pytest.fixture(scope="module")
def served(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Run a gateway that serves operators, too."""
    tenant = add_tenant(settings)

    async def prepare() -> tuple[str, str, str]:
        database = Database(settings)
        await database.open()
        await change_settings(database, tenant, {"limits": UNLIMITED}, by="a test")
        key = await make_key(database, tenant, *SCOPES)
        made = await create_key(database, "*", KeyRequest("ops", ("admin",)), by="a test", now=datetime.now(UTC))
        await set_person(database, tenant, MACHINE, person="Ada", role="admin")
        persons = await make_key(database, tenant, "desk", person="Ada")
        await database.close()
        return key, made.text, persons

    with asyncio.Runner() as runner:
        keys = runner.run(prepare())
    changed = fence(settings).model_copy(
        update={"gateway_listen": "127.0.0.1:0", "state_dir": tmp_path_factory.mktemp("gateway")}
    )
    with run_gateway_beside(changed, serves_operators=True) as url:
        yield Served(url, *keys)


document = schemathesis.openapi.from_path(contract_path())
public = document.exclude(path_regex="^/v1/(admin|desk)/")
desk = document.include(path_regex="^/v1/desk/")
administration = document.include(path_regex="^/v1/admin/")
tried = hypothesis_settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],  # a request that fails is told as it is: shorter ones may wait for minutes
)


@public.parametrize()
@tried
def test_whatever_the_schema_allows_or_forbids_is_treated_so(case: schemathesis.Case[Any], served: Served) -> None:
    """No 5xx, no answer outside of the document, nothing accepted that it refuses, nothing refused that it allows.

    Wrong keys are tried in `test_gateway_keys.py`: here they would be so many from one address that they were slowed
    instead of refused.
    """
    _heed_what_no_schema_says(case)
    case.call_and_validate(
        base_url=served.url,
        headers={"Authorization": f"Bearer {served.key}"},
        excluded_checks=[schemathesis.checks.ignored_auth],
    )


@administration.parametrize()
@tried
def test_what_the_schema_of_the_administration_forbids_is_refused(case: schemathesis.Case[Any], served: Served) -> None:
    """As above; what settings and networks may be, the document leaves open, so what it allows may be refused."""
    case.call_and_validate(
        base_url=served.url,
        headers={"Authorization": f"Bearer {served.operators_key}"},
        excluded_checks=[schemathesis.checks.positive_data_acceptance, schemathesis.checks.ignored_auth],
    )


@desk.parametrize()
@tried
def test_what_the_schema_of_the_desk_forbids_is_refused(case: schemathesis.Case[Any], served: Served) -> None:
    """As above; whether an act is possible depends on its conversation, so what the document allows may be refused."""
    case.call_and_validate(
        base_url=served.url,
        headers={"Authorization": f"Bearer {served.persons_key}"},
        excluded_checks=[schemathesis.checks.positive_data_acceptance, schemathesis.checks.ignored_auth],
    )


def _heed_what_no_schema_says(case: schemathesis.Case[Any]) -> None:
    """Let a long poll that is allowed be short, and a message that is allowed have one id and be sent just now."""
    # A parameter that nobody knows, with an empty list or object for its value, does not get into the URL.
    assume(not any(value in ([], {}, None) for value in (case.query or {}).values()))
    wanted = str((case.query or {}).get("wait_seconds", ""))
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?(e[-+]?[0-9]+)?", wanted) and float(wanted) <= WAIT_SECONDS_MAX:
        case.query["wait_seconds"] = min(float(wanted), 0.1)
    if case.path != "/v1/messages" or not case.meta or not case.meta.generation.mode.is_positive:
        return
    for name in [name for name in case.headers or {} if name.lower() == "idempotency-key"]:
        del case.headers[name]
    body: Any = case.body
    if body.get("message_id") is None:
        case.headers["Idempotency-Key"] = '"made-up"'
    if body.get("sent_at") is not None:
        body["sent_at"] = datetime.now(UTC).isoformat()
