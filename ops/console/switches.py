"""Routes below /v1/admin that turn switches off and on, and pause all work; for operators."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Final

from fastapi import APIRouter, Path, Query

from ops.console import bodies
from ops.console.refusing import refusing
from ops.console.rights import AnOperator
from ops.desk.switches import NothingOff, OtherTenant, UnknownName, check_known, turn_off, turn_on
from runtime.switches import read_switches
from schema.errors import FteError, UnknownTenant
from schema.ids import TENANT_PATTERN
from schema.switches import ALL_TURNS, InvalidTarget, SwitchTarget, parse_target

if TYPE_CHECKING:
    from collections.abc import Mapping

switch_routes = APIRouter()

_REFUSALS: Final[dict[type[FteError], str]] = {
    InvalidTarget: "invalid-request",
    NothingOff: "not-found",
    OtherTenant: "invalid-request",
    UnknownName: "invalid-request",
    UnknownTenant: "not-found",
}
_refusing = partial(refusing, _REFUSALS)

Named = Annotated[
    str,
    Path(
        alias="switch",
        max_length=120,
        description="tenant:acme, channel:sms, agent:booking, tool:confirm_quote, provider:openai; turns: a pause",
    ),
]
OfTenant = Annotated[str | None, Query(pattern=TENANT_PATTERN, description="for this tenant alone; unset: for all")]


@switch_routes.get("/switches", summary="List what is switched off (operators)")
async def list_switches(operator: AnOperator) -> list[bodies.SwitchOff]:
    """List what is off, also pauses: for whom, since and until when, by whom, and why."""
    return [bodies.SwitchOff.model_validate(one.as_record()) for one in await read_switches(operator[0].database)]


@switch_routes.put("/switches/{switch}", summary="Switch something off, or pause (operators)")
async def switch_off(
    operator: AnOperator, named: Named, body: bodies.SwitchingOff, tenant: OfTenant = None
) -> bodies.SwitchOff:
    """Turn something off in every worker within two seconds; what is off already gets the new reason and end."""
    operators, by = operator
    with _refusing():
        target = _target(named)
        if target.kind in {"agent", "tool"} and not body.any_name:
            check_known(target, (await asyncio.to_thread(_known_names))[target.kind])
        switch = await turn_off(
            operators.database, target, tenant=tenant, by=by, reason=body.reason, seconds=body.seconds
        )
    return bodies.SwitchOff.model_validate(switch.as_record())


@switch_routes.delete("/switches/{switch}", summary="Switch something on again, or end a pause (operators)")
async def switch_on(operator: AnOperator, named: Named, tenant: OfTenant = None) -> bodies.SwitchOff:
    """Turn something on again, for whom it was turned off; the answer is how it was off."""
    operators, by = operator
    with _refusing():
        switch = await turn_on(operators.database, _target(named), tenant=tenant, by=by)
    return bodies.SwitchOff.model_validate(switch.as_record())


def _target(named: str) -> SwitchTarget:
    return ALL_TURNS if named == ALL_TURNS.kind else parse_target(named)


def _known_names() -> Mapping[Any, frozenset[str]]:
    """Return the names of agents and tools; loads the agents, which takes a second or two, once."""
    from worker.domains.airline.agents.graph import switchable_names  # noqa: PLC0415 - most gateways never need it

    return switchable_names()
