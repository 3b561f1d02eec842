"""Turn switches off and on: tenants, channels, agents, tools, model providers, and all turns (a pause)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ops.audit.acts import Act, actor_of, record_act
from runtime.database import EVERY_TENANT
from runtime.switches import Switch, read_switches, switch_of
from schema.errors import FteError, UnknownTenant

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ops.audit.acts import By
    from runtime.database import Database, Transaction
    from schema.switches import SwitchTarget

SECONDS_MAX: Final = 366 * 86_400
"""Longest time after which something is on again by itself."""


class NothingOff(FteError):
    """What is to be turned on is not off."""

    def __init__(self, target: SwitchTarget, tenant: str, off: Sequence[Switch]) -> None:
        listed = ", ".join(f"{switch.kind}:{switch.name} of {whose(switch)}" for switch in off) or "nothing"
        scope = "every tenant" if tenant == EVERY_TENANT else f"tenant {tenant}"
        super().__init__(f"{target} of {scope} is not off; off is {listed}")


class UnknownName(FteError):
    """There is no tool or agent of that name, as far as this release knows."""

    def __init__(self, target: SwitchTarget, known: Iterable[str]) -> None:
        super().__init__(f"no {target.kind} {target.name!r}; there are {', '.join(sorted(known))}")


class OtherTenant(FteError):
    """A tenant is to be switched off for another one."""

    def __init__(self, target: SwitchTarget, tenant: str) -> None:
        super().__init__(f"{target} names the tenant itself; leave out the tenant {tenant!r}")


def whose(switch: Switch) -> str:
    """Return for whom a switch is off, for people."""
    return "every tenant" if switch.tenant == EVERY_TENANT else f"tenant {switch.tenant}"


def check_known(target: SwitchTarget, known: Iterable[str]) -> None:
    """Raise UnknownName unless a target's name is one of those known."""
    names = frozenset(known)
    if target.name not in names:
        raise UnknownName(target, names)


async def turn_off(
    database: Database, target: SwitchTarget, *, tenant: str | None, by: By, reason: str, seconds: float | None = None
) -> Switch:
    """Turn something off for a tenant, or for all (None), and return it; every worker knows within two seconds.

    `seconds`: until it is on again by itself, of PostgreSQL's clock; None: when somebody turns it on. What is off
    already gets the new reason and end. Raises UnknownTenant; OtherTenant; ValueError for the time or an empty reason.
    """
    if not reason.strip():
        raise ValueError("a switch is turned off for a reason")
    if seconds is not None and not 0 < seconds <= SECONDS_MAX:
        raise ValueError(f"a switch is off for more than 0 and at most {SECONDS_MAX} s, not {seconds}")
    scope = _scope_of(target, tenant)
    async with database.transaction(EVERY_TENANT) as transaction:
        if scope != EVERY_TENANT and not await transaction.run("read_tenant", tenant=scope):
            raise UnknownTenant(scope)
        before = await _find(transaction, target, scope)
        name = actor_of(by).name
        rows = await transaction.run(
            "turn_off", **_parameters(target, scope), by=name, reason=reason.strip(), seconds=seconds
        )
        act = Act("switch.turned_off", str(target), reason=reason, before=before, after=switch_of(rows[0]).as_record())
        await record_act(transaction, scope, by, act)
    return switch_of(rows[0])


async def turn_on(
    database: Database, target: SwitchTarget, *, tenant: str | None, by: By, reason: str | None = None
) -> Switch:
    """Turn something on again, and return how it was off; every worker knows within two seconds.

    Raises NothingOff, also where its time was over; OtherTenant.
    """
    scope = _scope_of(target, tenant)
    async with database.transaction(EVERY_TENANT) as transaction:
        before = await _find(transaction, target, scope)
        rows = await transaction.run("turn_on", **_parameters(target, scope))
        if before is not None:
            await record_act(transaction, scope, by, Act("switch.turned_on", str(target), reason=reason, before=before))
    if before is None:
        raise NothingOff(target, scope, await read_switches(database))
    return switch_of(rows[0])


def _scope_of(target: SwitchTarget, tenant: str | None) -> str:
    if target.kind != "tenant":
        return tenant or EVERY_TENANT
    if tenant not in {None, target.name}:
        raise OtherTenant(target, str(tenant))
    return target.name


def _parameters(target: SwitchTarget, scope: str) -> dict[str, Any]:
    return {"tenant": scope, "kind": target.kind, "name": target.name}


async def _find(transaction: Transaction, target: SwitchTarget, scope: str) -> dict[str, Any] | None:
    rows = map(switch_of, await transaction.run("read_switches"))
    return next((row.as_record() for row in rows if (row.tenant, row.kind, row.name) == (scope, *target)), None)
