"""Limit each tenant's spending of a day: what is recorded, and what is under way here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

import structlog

if TYPE_CHECKING:
    from schema.messages.event import EventName

_log = structlog.get_logger("fte.models")

READ_AGAIN_SECONDS = 5.0
"""Age from which a total is read anew: other processes spend too. Each recorded call brings a new one at no cost.

A tenant's ceiling is read as often, since it may have been changed; no call brings that.
"""

WARNING_SHARE = Decimal("0.8")


class Spending(NamedTuple):
    """A tenant's total of one UTC day, as a statement found it and as it left it."""

    day: date
    before_usd: Decimal
    after_usd: Decimal
    ceiling_usd: Decimal | None = None
    """The tenant's own, where the statement has read it."""


ReadSpending = Callable[[str], Awaitable[Spending]]
"""Reads a tenant's total of today; it is the same before and after."""


@dataclass
class _Account:
    day: date
    spent_usd: Decimal
    read_at: float
    ceiling_usd: Decimal | None = None
    ceiling_read_at: float = -READ_AGAIN_SECONDS
    under_way_usd: Decimal = Decimal(0)
    is_told: bool = False


class Ledger:
    """What the tenants of one process have spent today, each below its own ceiling or else the one of all.

    Several processes see each other's calls once they are recorded, so together they may pass the ceiling by what they
    have under way at that moment.
    """

    def __init__(self, ceiling_usd: Decimal | None = None, read: ReadSpending | None = None) -> None:
        self._ceiling_usd = ceiling_usd
        self._read = read
        self._accounts: dict[str, _Account] = {}

    async def has_room(self, tenant: str, cost_usd: Decimal, now: float) -> bool:
        """Check whether a call of about that cost stays below the ceiling; raises what the database raises.

        `now`, here and below: seconds of one monotonic clock.
        """
        if self._read is None:
            return True
        account = self._accounts.get(tenant)
        if account is None or now - min(account.read_at, account.ceiling_read_at) > READ_AGAIN_SECONDS:
            spending = await self._read(tenant)
            account = self._keep(tenant, spending, now)
            account.ceiling_read_at = now
            account.ceiling_usd = self._ceiling_usd if spending.ceiling_usd is None else spending.ceiling_usd
        if account.ceiling_usd is None:
            return True
        return account.spent_usd + account.under_way_usd + cost_usd <= account.ceiling_usd

    @contextmanager
    def reserving(self, tenant: str, cost_usd: Decimal) -> Iterator[None]:
        """Count a call of about that cost as under way."""
        account = self._accounts.get(tenant)
        if account is None:
            yield
            return
        account.under_way_usd += cost_usd
        try:
            yield
        finally:
            account.under_way_usd -= cost_usd

    def spend(self, tenant: str, cost_usd: Decimal) -> None:
        """Count a finished call until its record brings the new total."""
        account = self._accounts.get(tenant)
        if account is not None:
            account.spent_usd += cost_usd

    def tell_exhausted(self, tenant: str) -> list[tuple[EventName, dict[str, str]]]:
        """Return the event that a tenant's ceiling is reached: once a day and process."""
        account = self._accounts.get(tenant)
        if account is None or account.is_told:
            return []
        account.is_told = True
        figures = _figures(account.spent_usd, account.ceiling_usd)
        _log.warning("spend.exhausted", tenant=tenant, **figures)
        return [("spend.exhausted", figures)]

    def settle(self, tenant: str, spending: Spending, now: float) -> list[tuple[EventName, dict[str, str]]]:
        """Record the total that a recorded call brought; returns the warning when this very call passed its share."""
        if self._read is None:
            return []
        ceiling_usd = self._keep(tenant, spending, now).ceiling_usd
        if ceiling_usd is None:
            return []
        warning_usd = ceiling_usd * WARNING_SHARE
        if not spending.before_usd < warning_usd <= spending.after_usd:
            return []
        figures = _figures(spending.after_usd, ceiling_usd)
        _log.warning("spend.warning", tenant=tenant, **figures)
        return [("spend.warning", figures)]

    def _keep(self, tenant: str, spending: Spending, now: float) -> _Account:
        account = self._accounts.get(tenant)
        if account is None:
            account = self._accounts[tenant] = _Account(spending.day, spending.after_usd, now, self._ceiling_usd)
        if account.day != spending.day:
            account.day, account.is_told = spending.day, False
        account.spent_usd, account.read_at = spending.after_usd, now
        return account


def _figures(spent_usd: Decimal, ceiling_usd: Decimal | None) -> dict[str, str]:
    return {"spent_usd": f"{spent_usd:.4f}", "ceiling_usd": str(ceiling_usd)}
