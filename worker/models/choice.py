"""Choose a tenant's model: the one that it sets, where this deployment can ask it, or else the deployment's."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import structlog

from schema.switches import PROVIDER
from worker.models.families import find_refused_parameters

if TYPE_CHECKING:
    from runtime.switches import Switches
    from schema.settings.tenants import TenantModelSettings
    from schema.tenants import TenantSettings

_log = structlog.get_logger("fte.models")


def is_switched_off(switches: Switches, tenant: str, model: str) -> bool:
    """Check whether operators have switched a model off for a tenant; `model`: in the form of `FTE_MODEL`.

    It is off by its own name, or together with all of its provider. EVERY_TENANT: whether it is off for all.
    """
    return switches.find("provider", tenant, PROVIDER, model) is not None


def find_model_problems(own: TenantSettings, settings: TenantModelSettings) -> list[str]:
    """Return why a deployment cannot ask a tenant's model or hold its ceiling, each with the way out; [] where it can.

    A ceiling without the price of the model would limit nothing. `settings`: those of the workers.
    """
    asked = settings.model_copy(update={"model": own.model or settings.model})
    if asked.is_embedded_model:
        return []
    problems = [f"model: {text}" for text in find_refused_parameters(asked)]
    if settings.openai_api_key is None:
        problems.append(f"model: {asked.model} needs OPENAI_API_KEY; set it for every process, or choose local")
    if settings.vector_store_ids and not asked.model.startswith("openai:"):
        problems.append(
            f"model: {asked.model} cannot search the vector stores of FTE_VECTOR_STORE_IDS; choose openai:<model>"
        )
    ceiling = own.ceilings.usd_per_day or settings.tenant_usd_per_day_max
    if ceiling is not None and asked.model_name not in settings.model_prices:
        problems.append(
            f"ceilings.usd_per_day: {ceiling} USD a day need the price of {asked.model_name}; add it to "
            "FTE_MODEL_PRICES of every process, choose a model that has one, or set no ceiling"
        )
    return problems


def choose_model(tenant: str, own: TenantSettings, settings: TenantModelSettings) -> str:
    """Return the model that a tenant's turn asks, in the form of `FTE_MODEL`.

    What was checked when it was set may hold no more, since a deployment's settings change: the deployment's own model
    answers then, and the log says why once.
    """
    if own.model is None or own.model == settings.model:
        return settings.model
    problems = find_model_problems(own, settings)
    if problems:
        _tell(tenant, own.model, tuple(problems))
        return settings.model
    return own.model


@lru_cache(maxsize=1_000)
def _tell(tenant: str, model: str, problems: tuple[str, ...]) -> None:
    """Log once in a process what keeps a tenant's model from being asked."""
    _log.error("tenant.model_not_asked", tenant=tenant, model=model, problems=list(problems))
