"""What a tenant sets must fit the deployment: each refusal names the setting and the way out."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from pydantic import SecretStr

from ops.tenants.settings import change_settings, create_tenant, read_tenant, undo_change
from runtime.database import Database
from schema.settings import Settings
from schema.settings.models import ModelPrice
from schema.tenants import InvalidTenantSettings

PRICE = ModelPrice(input=Decimal(1), output=Decimal(8))
WITH_KEY: dict[str, Any] = {"openai_api_key": SecretStr("sk-test")}
PRICED: dict[str, Any] = {**WITH_KEY, "model": "openai:gpt-x", "model_prices": {"gpt-x": PRICE}}
CEILING = {"ceilings": {"usd_per_day": "5"}}


@pytest.mark.parametrize(
    ("deployment", "given", "told"),
    [
        (
            {"openai_api_key": None},
            {"model": "openai:gpt-x"},
            ["model: openai:gpt-x", "OPENAI_API_KEY", "choose local"],
        ),
        ({**WITH_KEY, "model_reasoning_effort": "high"}, {"model": "openai:gpt-4o"}, ["model: ", "does not reason"]),
        ({**WITH_KEY, "model_temperature": 0.5}, {"model": "openai:gpt-5"}, ["model: ", "FTE_MODEL_TEMPERATURE"]),
        (
            {**WITH_KEY, "model": "openai:gpt-x", "vector_store_ids": ["vs_1"]},
            {"model": "openai-chat:gpt-x"},
            ["model: openai-chat:gpt-x", "FTE_VECTOR_STORE_IDS", "choose openai:<model>"],
        ),
        ({**WITH_KEY, "model": "openai:gpt-x"}, CEILING, ["ceilings.usd_per_day: 5", "gpt-x", "FTE_MODEL_PRICES"]),
        (PRICED, {**CEILING, "model": "openai:gpt-y"}, ["ceilings.usd_per_day: 5", "gpt-y", "FTE_MODEL_PRICES"]),
        (
            {**PRICED, "tenant_usd_per_day_max": Decimal(9)},
            {"model": "openai:gpt-y"},
            ["ceilings.usd_per_day: 9", "gpt-y", "choose a model that has one"],
        ),
        ({"spans_days": 14}, {"retention": {"spans_days": 15}}, ["retention.spans_days: 15", "14", "FTE_SPANS_DAYS"]),
        ({"usage_days": 30}, {"retention": {"usage_days": 31}}, ["retention.usage_days: 31", "FTE_USAGE_DAYS"]),
    ],
)
async def test_what_does_not_fit_is_refused_and_nothing_changes(
    settings: Settings, database: Database, tenant: str, deployment: Any, given: dict[str, Any], told: list[str]
) -> None:
    changed = settings.model_copy(update=deployment)

    with pytest.raises(InvalidTenantSettings) as refused:
        await change_settings(database, tenant, given, by="ada", deployment=changed)
    with pytest.raises(InvalidTenantSettings):
        await create_tenant(database, f"{tenant}x", given, by="ada", deployment=changed)

    assert [words for words in told if words not in str(refused.value)] == []
    assert "sk-test" not in str(refused.value)
    assert (await read_tenant(database, tenant)).version == 0


@pytest.mark.parametrize(
    ("deployment", "given"),
    [
        (PRICED, CEILING),
        ({**PRICED, "tenant_usd_per_day_max": Decimal(9)}, {"model": "openai-chat:gpt-x"}),
        (PRICED, {**CEILING, "model": "local"}),
        ({**WITH_KEY, "model_temperature": 0.5}, {"model": "openai:somebodys-model"}),
        ({"spans_days": 14, "usage_days": 30}, {"retention": {"spans_days": 14, "usage_days": 1}}),
    ],
)
async def test_what_fits_is_taken(
    settings: Settings, database: Database, tenant: str, deployment: Any, given: dict[str, Any]
) -> None:
    record = await change_settings(database, tenant, given, by="ada", deployment=settings.model_copy(update=deployment))

    assert record.stored == given


async def test_what_fits_no_more_hinders_no_other_change_and_is_not_undone_to(
    settings: Settings, database: Database, tenant: str
) -> None:
    await change_settings(database, tenant, {"retention": {"spans_days": 10}}, by="ada", deployment=settings)
    shorter = settings.model_copy(update={"spans_days": 7})

    await change_settings(database, tenant, {"brand": "One"}, by="ada", deployment=shorter)
    await change_settings(database, tenant, {"retention": None}, by="ada", deployment=shorter)
    with pytest.raises(InvalidTenantSettings, match=r"retention\.spans_days: 10"):
        await undo_change(database, tenant, by="ada", deployment=shorter)

    assert (await read_tenant(database, tenant)).stored == {"brand": "One"}
