"""Hold what a tenant sets for itself against what this deployment can do and allows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schema.tenants import InvalidTenantSettings, TenantSettings
from worker.models.choice import find_model_problems

if TYPE_CHECKING:
    from schema.settings.tenants import TenantBoundSettings


def check_fit(before: TenantSettings, after: TenantSettings, deployment: TenantBoundSettings) -> None:
    """Refuse a change that this deployment cannot carry out; what did not fit before is not held against it.

    Raises InvalidTenantSettings with every problem and its way out.
    """
    known = _find_misfits(before, deployment)
    problems = [problem for problem in _find_misfits(after, deployment) if problem not in known]
    if problems:
        raise InvalidTenantSettings(problems)


def _find_misfits(own: TenantSettings, deployment: TenantBoundSettings) -> list[str]:
    problems = find_model_problems(own, deployment) if own.model or own.ceilings.usd_per_day else []
    for name in ("spans_days", "usage_days", "conversations_days"):
        days_max = getattr(deployment, name)
        days = getattr(own.retention, name)
        if days is not None and days > days_max:
            problems.append(
                f"retention.{name}: {days} days are more than the deployment's {days_max}; "
                f"give fewer, or raise FTE_{name.upper()} of every worker first"
            )
    return problems
