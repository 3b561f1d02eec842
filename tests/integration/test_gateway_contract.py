"""What the gateway serves is what its OpenAPI document says, which is checked in."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from ops.console.contract import contract_path, contract_text
from ops.standalone.gateways import run_gateway_beside
from ops.tenants.settings import change_settings
from producer.gateway.messages import BatchMessage, NewMessage
from runtime.database import Database
from schema.messages.inbound import Inbound
from schema.settings import Settings
from tests.integration.conftest import add_tenant
from tests.integration.http_gateway import fence, make_key, serve_here

SCOPES = ("messages:write", "outbound:read", "conversations:read")
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


@pytest.fixture(scope="module")
def served(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Run a gateway in a process of its own; give its URL and a key of a tenant without limits."""
    tenant = add_tenant(settings)

    async def prepare() -> str:
        database = Database(settings)
        await database.open()
        await change_settings(database, tenant, {"limits": UNLIMITED}, by="a test")
        key = await make_key(database, tenant, *SCOPES)
        await database.close()
        return key

    with asyncio.Runner() as runner:
        key = runner.run(prepare())
    changed = fence(settings).model_copy(
        update={"gateway_listen": "127.0.0.1:0", "state_dir": tmp_path_factory.mktemp("gateway")}
    )
    with run_gateway_beside(changed) as url:
        yield url, key


document = schemathesis.openapi.from_path(contract_path())
public = document.exclude(path_regex="^/v1/admin/")


@public.parametrize()
@hypothesis_settings(max_examples=8, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_whatever_the_schema_allows_or_forbids_is_treated_so(
    case: schemathesis.Case[Any], served: tuple[str, str]
) -> None:
    """No 5xx, no answer outside of the document, nothing accepted that the schema refuses.

    What the schema cannot say is refused as well: `sent_at` out of its bounds, an id given twice. Wrong keys are tried
    in `test_gateway_keys.py`: here they would be so many from one address that they were slowed instead of refused.
    """
    url, key = served
    _wait_less(case)
    case.call_and_validate(
        base_url=url,
        headers={"Authorization": f"Bearer {key}"},
        excluded_checks=[schemathesis.checks.positive_data_acceptance, schemathesis.checks.ignored_auth],
    )


def _wait_less(case: schemathesis.Case[Any]) -> None:
    """Let a long poll that is allowed be a short one."""
    wanted = str((case.query or {}).get("wait_seconds", ""))
    if re.fullmatch(r"[12]?[0-9](\.0)?|30(\.0)?", wanted):
        case.query["wait_seconds"] = 0.1
