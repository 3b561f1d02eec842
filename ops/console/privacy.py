"""Routes below /v1/admin that export and erase what is kept of a person; for operators."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter

from ops.console import bodies
from ops.console.rights import AnOperator, Of, Operators
from ops.privacy.erasing import ConversationBusy, Eraser
from ops.privacy.exporting import export_person
from ops.privacy.people import PersonInvalid, person_key_of
from producer.gateway.problems import Refused
from runtime.encoding import dump_json, parse_json

privacy_routes = APIRouter()


@privacy_routes.post("/tenants/{tenant}/privacy/erasure", summary="Erase a person (operators)")
async def erase_person(operator: AnOperator, tenant: Of, body: bodies.Erasure) -> bodies.ErasureResult:
    """Erase all that is kept of a person, or with `confirm` false count it."""
    operators, by = operator
    eraser = Eraser(operators.database, operators.redis, operators.deployment, tenant, by, body.reason)
    key = _key_of(operators, tenant, body.person)
    try:
        receipt = await eraser.erase_person(key, dry_run=not body.confirm, with_others=body.with_others)
    except ConversationBusy as error:
        raise Refused("conflict", str(error)) from None
    return bodies.ErasureResult.model_validate(asdict(receipt))


@privacy_routes.post("/tenants/{tenant}/privacy/export", summary="Export a person (operators)")
async def export_all(operator: AnOperator, tenant: Of, body: bodies.PersonExport) -> list[dict[str, Any]]:
    """Return all that is kept of a person, opened, a conversation each."""
    operators, by = operator
    key = _key_of(operators, tenant, body.person)
    parts = (operators.database, operators.sealer, tenant, key)
    return [parse_json(dump_json(one)) async for one in export_person(*parts, by=by, reason=body.reason)]


def _key_of(operators: Operators, tenant: str, person: str) -> str:
    try:
        return person_key_of(operators.senders, tenant, person)
    except PersonInvalid as error:
        raise Refused("invalid-request", str(error)) from None
