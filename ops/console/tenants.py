"""Routes below /v1/admin: tenants' settings, their API keys, and for operators the tenants themselves."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Final

from fastapi import APIRouter, FastAPI, Header, Path, Response

from ops.console import bodies
from ops.console.audit import audit_routes
from ops.console.privacy import privacy_routes
from ops.console.refusing import refusing
from ops.console.rights import AnAdministrator, AnOperator, Of, Operators, check_fields
from ops.console.switches import switch_routes
from ops.tenants import deletion, keys, settings
from producer.gateway.problems import Refused
from runtime.configuration import open_sealer
from runtime.database import EVERY_TENANT, Database
from runtime.redis import make_redis
from runtime.startup import check_deployment
from schema.errors import FteError, UnknownTenant
from schema.tenants import InvalidTenantSettings, check_tenant_settings, known_tenant_settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from schema.settings.tenants import OperatorSettings

DELETION_SECONDS_MAX: Final = 10.0
"""How long one request removes rows; the next goes on."""

OPERATORS_CONNECTIONS_MAX: Final = 2

KeyId = Annotated[str, Path(alias="key_id", pattern=r"^[0-9A-Za-z]{12}$", description="the key's id")]
IfMatch = Annotated[str | None, Header(alias="If-Match", max_length=40, description='the ETag: "<version>"')]

_REFUSALS: Final[dict[type[FteError], str]] = {
    UnknownTenant: "not-found",
    keys.KeyUnknown: "not-found",
    keys.KeyGone: "conflict",
    keys.KeyRequestInvalid: "invalid-request",
    settings.NothingToUndo: "conflict",
    settings.SettingsChangedMeanwhile: "conflict",
    settings.TenantBeingDeleted: "conflict",
    settings.TenantNameInvalid: "invalid-request",
    settings.TenantNameTaken: "conflict",
    deletion.TenantInService: "conflict",
    deletion.TenantStillBusy: "conflict",
    InvalidTenantSettings: "invalid-request",
}
_refusing = partial(refusing, _REFUSALS)


def tenants_router(servers: OperatorSettings | None = None) -> APIRouter:
    """Return the routes; with the operators' servers they serve operators too, else each tenant's own key alone."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as opening:
            if servers is not None:
                database = Database(servers.model_copy(update={"database_connections_max": OPERATORS_CONNECTIONS_MAX}))
                opening.push_async_callback(database.close)
                await database.open()
                redis = make_redis(servers)
                opening.push_async_callback(redis.aclose)
                sealer = open_sealer(servers)
                senders = await check_deployment(database, sealer)
                app.state.operators = Operators(database, redis, servers, sealer, senders)
            yield

    router = APIRouter(prefix="/v1/admin", tags=["admin"], lifespan=lifespan)
    router.include_router(_tenants)
    router.include_router(_settings)
    router.include_router(_keys)
    router.include_router(audit_routes)
    router.include_router(privacy_routes)
    router.include_router(switch_routes)
    return router


_tenants = APIRouter()
_settings = APIRouter()
_keys = APIRouter()


@_tenants.get("/tenants", summary="List the tenants (operators)")
async def list_tenants(operator: AnOperator) -> list[bodies.TenantSummary]:
    """List every tenant by name."""
    rows = await operator[0].database.read(EVERY_TENANT, "list_tenants")
    return [bodies.TenantSummary.model_validate(row) for row in rows]


@_tenants.post("/tenants", status_code=201, summary="Make a tenant (operators)")
async def create_tenant(operator: AnOperator, body: bodies.NewTenant) -> bodies.Tenant:
    """Make a tenant with these settings."""
    operators, by = operator
    with _refusing():
        made = await settings.create_tenant(
            operators.database,
            body.tenant,
            settings.merge_patch({}, body.settings),
            by=by,
            reason=body.reason,
            deployment=operators.deployment,
        )
    return _shown(made)


@_tenants.post("/tenants/{tenant}/suspend", summary="Suspend a tenant (operators)")
async def suspend_tenant(operator: AnOperator, tenant: Of, body: bodies.Suspension) -> bodies.Tenant:
    """Accept nothing more for a tenant; turns under way end."""
    operators, by = operator
    with _refusing():
        await settings.suspend_tenant(operators.database, tenant, by=by, because=body.because)
        return _shown(await settings.read_tenant(operators.database, tenant))


@_tenants.post("/tenants/{tenant}/resume", summary="Put a tenant back into service (operators)")
async def resume_tenant(operator: AnOperator, tenant: Of) -> bodies.Tenant:
    """Lift a suspension."""
    with _refusing():
        await settings.resume_tenant(operator[0].database, tenant, by=operator[1])
        return _shown(await settings.read_tenant(operator[0].database, tenant))


@_tenants.delete("/tenants/{tenant}", summary="Delete a suspended tenant (operators)")
async def delete_tenant(operator: AnOperator, tenant: Of) -> bodies.Removal:
    """Remove what a tenant has, for some seconds; ask again until `is_finished`."""
    operators, by = operator
    with _refusing():
        try:
            async with asyncio.timeout(DELETION_SECONDS_MAX):
                receipt = await deletion.delete_tenant(operators.database, operators.redis, tenant, by=by)
        except TimeoutError:
            unfinished = await deletion.read_receipt(operators.database, tenant)
            if unfinished is None:
                raise
            receipt = unfinished
    return bodies.Removal.model_validate(asdict(receipt))


@_settings.get("/tenants/{tenant}", summary="A tenant and its settings")
async def read_tenant(administrator: AnAdministrator, response: Response) -> bodies.Tenant:
    """Return a tenant's settings, with an ETag to change them by."""
    with _refusing():
        record = await settings.read_tenant(administrator.database, administrator.tenant)
    response.headers["ETag"] = f'"{record.version}"'
    return _shown(record)


@_settings.patch("/tenants/{tenant}/settings", summary="Change a tenant's settings")
async def change_settings(
    administrator: AnAdministrator, body: bodies.SettingsChange, response: Response, if_match: IfMatch = None
) -> bodies.Tenant:
    """Change settings by a merge patch; with If-Match only if they are still that version."""
    with _refusing():
        before = await settings.read_tenant(administrator.database, administrator.tenant)
        after = check_tenant_settings(settings.merge_patch(before.known, body.settings)).stored()
        check_fields(administrator, before, after)
        record = await settings.change_settings(
            administrator.database,
            administrator.tenant,
            body.settings,
            by=administrator.by,
            reason=body.reason,
            version=before.version if if_match is None else _version_of(if_match),
            deployment=administrator.deployment,
        )
    response.headers["ETag"] = f'"{record.version}"'
    return _shown(record)


@_settings.get("/tenants/{tenant}/changes", summary="The history of a tenant's settings")
async def list_changes(administrator: AnAdministrator) -> list[bodies.Change]:
    """List the newest changes, newest first."""
    rows = await settings.list_changes(administrator.database, administrator.tenant)
    return [bodies.Change.model_validate(row) for row in rows]


@_settings.post("/tenants/{tenant}/undo", summary="Go back to an earlier version of a tenant's settings")
async def undo_change(administrator: AnAdministrator, body: bodies.Undo) -> bodies.Tenant:
    """Take up the settings of a version; without one those before the newest, and each time one further."""
    with _refusing():
        before = await settings.read_tenant(administrator.database, administrator.tenant)
        target, stored = await settings.find_earlier(administrator.database, administrator.tenant, body.version)
        check_fields(administrator, before, known_tenant_settings(stored))
        record = await settings.undo_change(
            administrator.database,
            administrator.tenant,
            by=administrator.by,
            reason=body.reason,
            version=target,
            expected=before.version,
            deployment=administrator.deployment,
        )
    return _shown(record)


@_keys.get("/tenants/{tenant}/keys", summary="List a tenant's API keys")
async def list_keys(administrator: AnAdministrator) -> list[bodies.Key]:
    """List the keys, oldest first, revoked and expired ones too."""
    rows = await keys.list_keys(administrator.database, administrator.tenant)
    return [bodies.Key.model_validate(row) for row in rows]


@_keys.post("/tenants/{tenant}/keys", status_code=201, summary="Make an API key")
async def create_key(administrator: AnAdministrator, body: bodies.NewKey) -> bodies.MadeKey:
    """Make a key; its text is in this answer alone."""
    request = keys.KeyRequest(body.label, tuple(body.scopes), body.person, body.expires_at, tuple(body.addresses))
    now = datetime.now(UTC)
    with _refusing():
        made = await keys.create_key(
            administrator.database, administrator.tenant, request, by=administrator.by, now=now
        )
    return bodies.MadeKey.model_validate({**made.row, "key": made.text})


@_keys.post("/tenants/{tenant}/keys/{key_id}/rotate", status_code=201, summary="Replace an API key")
async def rotate_key(administrator: AnAdministrator, key_id: KeyId, body: bodies.Rotation) -> bodies.MadeKey:
    """Make a key like this one, which is revoked after the overlap."""
    with _refusing():
        made = await keys.rotate_key(
            administrator.database,
            administrator.tenant,
            key_id,
            overlap=timedelta(seconds=body.overlap_seconds),
            by=administrator.by,
            now=datetime.now(UTC),
        )
    return bodies.MadeKey.model_validate({**made.row, "key": made.text})


@_keys.delete("/tenants/{tenant}/keys/{key_id}", status_code=204, summary="Revoke an API key")
async def revoke_key(administrator: AnAdministrator, key_id: KeyId) -> None:
    """Revoke a key: within five seconds no process accepts it."""
    with _refusing():
        await keys.revoke_key(
            administrator.database, administrator.tenant, key_id, by=administrator.by, now=datetime.now(UTC)
        )


def _shown(record: settings.TenantRecord) -> bodies.Tenant:
    return bodies.Tenant.model_validate(settings.describe(record))


def _version_of(if_match: str) -> int:
    text: Any = if_match.strip().strip('"')
    if not text.isascii() or not text.isdigit():
        raise Refused("invalid-request", 'If-Match: give the ETag of the tenant, such as "3"')
    return min(int(text), 2**62)
