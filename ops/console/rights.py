"""Decide what an API key may administer: its own tenant, or, an operator's, every tenant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final

from fastapi import Depends, Path, Request

from ops.audit.acts import Actor
from ops.tenants.settings import TenantRecord
from producer.gateway.access import check_tenant, identified, parts_of
from producer.gateway.problems import Refused
from runtime.api_keys import OPERATOR, Principal
from schema.ids import TENANT_PATTERN

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from runtime.database import Database
    from runtime.sealing import Sealer
    from runtime.sender_keys import SenderKeys
    from schema.settings.tenants import OperatorSettings, TenantBoundSettings

OPERATORS_FIELDS: Final = ("model", "limits", "ceilings", "retention")
"""Settings that cost or protect the deployment: a tenant sees its own, and operators alone change them."""

Of = Annotated[str, Path(alias="tenant", pattern=TENANT_PATTERN, description="the tenant's name")]


@dataclass(slots=True)
class Operators:
    """Connections that see every tenant, and what tenants' settings must fit; only in a process for operators."""

    database: Database
    redis: Redis
    deployment: OperatorSettings
    sealer: Sealer
    senders: SenderKeys


@dataclass(frozen=True, slots=True)
class Administrator:
    """Who asks, for which tenant, and the connections that may look at it."""

    tenant: str
    database: Database
    by: Actor
    """Who goes on record."""
    deployment: TenantBoundSettings | None = None
    """What the tenant's settings must fit; None for a tenant's own key, which changes nothing that depends on it."""

    @property
    def is_operator(self) -> bool:
        """Return whether an operator asks, and not the tenant itself."""
        return self.deployment is not None


def actor_of_request(request: Request, principal: Principal) -> Actor:
    """Return who goes on record for a request: the key's person, else its id, with the address it came from."""
    role = "operator" if principal.tenant == OPERATOR else "admin"
    return Actor(principal.person or f"key {principal.key_id}", role, getattr(request.state, "address", "") or None)


async def operators_of(request: Request) -> tuple[Operators, Actor]:
    """Return the operators' connections and who asks; a dependency. Raises Refused for any key but an operator's."""
    principal = await identified(request)
    if principal.tenant != OPERATOR or "admin" not in principal.scopes:
        raise Refused("forbidden", "this needs an operator's key: `fte keys create --operator`")
    operators: Operators | None = getattr(request.app.state, "operators", None)
    if operators is None:
        raise Refused("forbidden", "this process serves no operators; start one with `fte gateway --operators`")
    return operators, actor_of_request(request, principal)


async def administrator_of(request: Request, tenant: Of) -> Administrator:
    """Return the administrator of the tenant in the path; a dependency.

    Raises Refused without the scope `admin`; for another tenant in the words for one that is not there.
    """
    principal = await identified(request)
    if principal.tenant == OPERATOR:
        operators, by = await operators_of(request)
        return Administrator(tenant, operators.database, by, operators.deployment)
    if "admin" not in principal.scopes:
        scopes = ", ".join(sorted(principal.scopes))
        raise Refused("forbidden", f"this needs a key with the scope admin; this one has {scopes}")
    if principal.tenant != tenant:
        raise Refused("forbidden", "this key administers its own tenant alone")
    await check_tenant(parts_of(request), principal)
    return Administrator(tenant, parts_of(request).database, actor_of_request(request, principal))


def check_fields(administrator: Administrator, before: TenantRecord, after: dict[str, Any]) -> None:
    """Refuse a change of a setting that operators alone change; `after` is what would be stored."""
    if administrator.is_operator:
        return
    changed = [name for name in OPERATORS_FIELDS if before.known.get(name) != after.get(name)]
    if changed:
        raise Refused("forbidden", f"operators alone change {', '.join(changed)}; ask them")


AnAdministrator = Annotated[Administrator, Depends(administrator_of)]
AnOperator = Annotated[tuple[Operators, Actor], Depends(operators_of)]
