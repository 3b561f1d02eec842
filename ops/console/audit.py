"""Routes below /v1/admin that show a tenant's audit log and verify it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from ops.audit.reading import ActFilter, list_acts
from ops.audit.verification import AnchorInvalid, read_anchor, verify_chain
from ops.console import bodies
from ops.console.rights import AnAdministrator
from producer.gateway.problems import Refused

audit_routes = APIRouter()

Text = Annotated[str | None, Query(max_length=200)]


@audit_routes.get("/tenants/{tenant}/audit", summary="The audit log")
async def list_audit(
    administrator: AnAdministrator,
    *,
    before: Annotated[int | None, Query(ge=1, le=2**62, description="only entries before this number")] = None,
    actor: Text = None,
    operation: Text = None,
    conversation: Text = None,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 50,
) -> list[bodies.AuditEntry]:
    """List who did what, newest first."""
    which = ActFilter(before, actor=actor, operation=operation, conversation=conversation)
    rows = await list_acts(administrator.database, administrator.tenant, which, limit)
    return [bodies.AuditEntry.model_validate(row) for row in rows]


@audit_routes.get("/tenants/{tenant}/audit/verification", summary="Verify the audit log")
async def verify_audit(
    administrator: AnAdministrator,
    anchor: Annotated[str | None, Query(max_length=100, description="NUMBER:HASH as an earlier answer gave it")] = None,
) -> bodies.AuditReport:
    """Look for an entry that was cut out, changed, added or moved, from the first to the newest."""
    try:
        anchors = () if anchor is None else (read_anchor(anchor),)
    except AnchorInvalid as error:
        raise Refused("invalid-request", str(error)) from None
    report = await verify_chain(administrator.database, administrator.tenant, anchors=anchors)
    return bodies.AuditReport(
        is_whole=report.is_whole,
        entries=report.entries,
        erased=report.erased,
        broken_at=report.broken_at,
        problem=report.problem,
        anchor=str(report.anchor),
    )
