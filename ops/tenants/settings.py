"""Make tenants, change what they set for themselves, with history and undo, and suspend them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ops.audit.acts import Act, By, actor_of, record_act
from ops.tenants.fitting import check_fit
from runtime.encoding import dump_json
from runtime.tenants import view_of
from schema.errors import FteError, UnknownTenant
from schema.ids import TENANT_PATTERN
from schema.tenants import TenantSettings, check_tenant_settings, known_tenant_settings, read_tenant_settings

if TYPE_CHECKING:
    from runtime.database import Database, Row, Transaction
    from schema.settings.tenants import TenantBoundSettings

CHANGES_SHOWN_MAX = 100


class TenantNameTaken(FteError):
    """There is a tenant of that name, or was one that was deleted."""

    def __init__(self, tenant: str) -> None:
        super().__init__(f"the name {tenant!r} is taken, by a tenant that is there or was deleted; choose another")


class TenantNameInvalid(FteError):
    """The name cannot be a tenant's."""

    def __init__(self, tenant: str) -> None:
        super().__init__(f"tenant {tenant[:80]!r}: 1 to 63 of A-Z a-z 0-9 _ -, first a letter or digit")


class SettingsChangedMeanwhile(FteError):
    """Somebody else changed the tenant's settings first."""

    def __init__(self, tenant: str, version: int) -> None:
        super().__init__(
            f"the settings of tenant {tenant!r} are no longer at version {version}; look at them and change them again"
        )


class NothingToUndo(FteError):
    """The tenant's settings have no such earlier version."""

    def __init__(self, tenant: str, version: int) -> None:
        super().__init__(
            f"the settings of tenant {tenant!r} have no version {version}; `fte tenant history` lists them"
        )


class TenantBeingDeleted(FteError):
    """The tenant's data are being removed, so it stays suspended."""

    def __init__(self, tenant: str) -> None:
        super().__init__(f"tenant {tenant!r} is being deleted, and cannot be put back into service")


@dataclass(frozen=True, slots=True)
class TenantRecord:
    """A tenant as operators see it."""

    tenant: str
    version: int
    """Of its settings; 0: it has none of its own."""
    stored: dict[str, Any]
    """What it sets, without defaults."""
    settings: TenantSettings
    """What holds, where it does not set something the default."""
    suspended_because: str | None
    """None: in service, or no reason was given."""
    is_suspended: bool
    is_being_deleted: bool

    @property
    def known(self) -> dict[str, Any]:
        """Return what it sets of the settings that this release knows."""
        return known_tenant_settings(self.stored)

    @property
    def newer(self) -> dict[str, Any]:
        """Return what it sets besides: a newer release knows it, and a change by this one leaves it."""
        return _without(self.stored, self.known)


async def create_tenant(
    database: Database,
    tenant: str,
    given: dict[str, Any],
    *,
    by: By,
    reason: str | None = None,
    deployment: TenantBoundSettings | None = None,
) -> TenantRecord:
    """Make a tenant with these settings; raises TenantNameInvalid, TenantNameTaken, InvalidTenantSettings.

    `deployment`, here and below: the settings of the workers, which those of a tenant must fit; None: not compared.
    """
    if re.match(TENANT_PATTERN, tenant) is None:
        raise TenantNameInvalid(tenant)
    settings = check_tenant_settings(given)
    if deployment is not None:
        check_fit(TenantSettings(), settings, deployment)
    stored = settings.stored()
    async with database.transaction(tenant) as transaction:
        if not await transaction.run("add_tenant", tenant=tenant):
            raise TenantNameTaken(tenant)
        if stored:
            await _write(transaction, tenant, stored, version=0, by=by, reason=reason)
        await record_act(transaction, tenant, by, Act("tenant.created", tenant, reason=reason, after=stored))
        return await _read(transaction, tenant)


async def read_tenant(database: Database, tenant: str) -> TenantRecord:
    """Return a tenant and its settings as they are now; raises UnknownTenant."""
    async with database.transaction(tenant) as transaction:
        return await _read(transaction, tenant)


async def list_changes(database: Database, tenant: str) -> list[Row]:
    """List the newest changes of a tenant's settings, newest first."""
    return await database.read(tenant, "list_tenant_changes", tenant=tenant, changes_max=CHANGES_SHOWN_MAX)


async def change_settings(
    database: Database,
    tenant: str,
    patch: dict[str, Any],
    *,
    by: By,
    reason: str | None = None,
    version: int | None = None,
    deployment: TenantBoundSettings | None = None,
) -> TenantRecord:
    """Change a tenant's settings by a JSON merge patch (RFC 7396): null takes a setting back to its default.

    `version`: that the patch was made for; None: whichever there is. What a newer release has set stays.
    Raises UnknownTenant, InvalidTenantSettings, SettingsChangedMeanwhile.
    """
    async with database.transaction(tenant) as transaction:
        record = await _read(transaction, tenant)
        if version is not None and version != record.version:
            raise SettingsChangedMeanwhile(tenant, version)
        changed = check_tenant_settings(merge_patch(record.known, patch))
        if deployment is not None:
            check_fit(record.settings, changed, deployment)
        stored = merge_patch(record.newer, changed.stored())
        await _write(transaction, tenant, stored, version=record.version, by=by, reason=reason)
        act = Act("tenant.changed", tenant, reason=reason, before=record.stored, after=stored)
        await record_act(transaction, tenant, by, act)
        return await _read(transaction, tenant)


async def undo_change(
    database: Database,
    tenant: str,
    *,
    by: By,
    reason: str | None = None,
    version: int | None = None,
    expected: int | None = None,
    deployment: TenantBoundSettings | None = None,
) -> TenantRecord:
    """Take up a tenant's settings of an earlier version; None: of the one before, and at each repetition one further.

    An undo is a change of its own, so that it can be undone by its version, and the history stays whole.
    `expected`: the version that they must still have. Raises UnknownTenant, NothingToUndo, SettingsChangedMeanwhile,
    and InvalidTenantSettings where the earlier version does not fit the deployment as it is now.
    """
    async with database.transaction(tenant) as transaction:
        record = await _read(transaction, tenant)
        if expected is not None and expected != record.version:
            raise SettingsChangedMeanwhile(tenant, expected)
        target, stored = await _find_earlier(transaction, record, version)
        if deployment is not None:
            check_fit(record.settings, read_tenant_settings(stored)[0], deployment)
        await _write(transaction, tenant, stored, version=record.version, by=by, reason=reason, restores=target)
        act = Act("tenant.undone", tenant, reason=reason, before=record.stored, after=stored)
        await record_act(transaction, tenant, by, act)
        return await _read(transaction, tenant)


async def find_earlier(database: Database, tenant: str, version: int | None) -> tuple[int, dict[str, Any]]:
    """Return which version an undo would take up, and what is set there; raises as `undo_change`."""
    async with database.transaction(tenant) as transaction:
        return await _find_earlier(transaction, await _read(transaction, tenant), version)


async def _find_earlier(
    transaction: Transaction, record: TenantRecord, version: int | None
) -> tuple[int, dict[str, Any]]:
    if version is None:
        newest = await transaction.run("read_tenant_version", tenant=record.tenant, version=record.version)
        restored = newest[0]["restores"] if newest else None
        version = (record.version if restored is None else int(restored)) - 1
    earlier = await transaction.run("read_tenant_version", tenant=record.tenant, version=version)
    if version < 0 or (version > 0 and not earlier):
        raise NothingToUndo(record.tenant, version)
    return version, earlier[0]["settings"] if earlier else {}


async def suspend_tenant(database: Database, tenant: str, *, by: By, because: str) -> None:
    """Refuse at the door what comes in for a tenant from now on; turns under way end. Raises UnknownTenant."""
    async with database.transaction(tenant) as transaction:
        if not await transaction.run("suspend_tenant", tenant=tenant, by=actor_of(by).name, because=because):
            raise UnknownTenant(tenant)
        await record_act(transaction, tenant, by, Act("tenant.suspended", tenant, reason=because))


async def resume_tenant(database: Database, tenant: str, *, by: By) -> None:
    """Put a tenant back into service; raises UnknownTenant, TenantBeingDeleted."""
    async with database.transaction(tenant) as transaction:
        rows = await transaction.run("resume_tenant", tenant=tenant)
        if not rows:
            raise UnknownTenant(tenant)
        if rows[0]["deleting_since"] is not None:
            raise TenantBeingDeleted(tenant)
        await record_act(transaction, tenant, by, Act("tenant.resumed", tenant))


def describe(record: TenantRecord) -> dict[str, Any]:
    """Return a tenant as JSON gives it to programs."""
    return {
        "tenant": record.tenant,
        "version": record.version,
        "settings": record.stored,
        "effective": record.settings.model_dump(mode="json"),
        "is_suspended": record.is_suspended,
        "suspended_because": record.suspended_because,
        "is_being_deleted": record.is_being_deleted,
    }


def merge_patch(target: Any, patch: Any) -> Any:
    """Apply a JSON merge patch (RFC 7396), and leave both arguments as they are."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge_patch(merged.get(name), value)
    return merged


def _without(stored: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    """Return what is in `stored` and not in `known`, at any depth."""
    rest = {name: value for name, value in stored.items() if name not in known}
    for name, value in known.items():
        if isinstance(value, dict) and (inner := _without(stored[name], value)):
            rest[name] = inner
    return rest


async def _read(transaction: Transaction, tenant: str) -> TenantRecord:
    rows = await transaction.run("read_tenant", tenant=tenant)
    if not rows:
        raise UnknownTenant(tenant)
    row = rows[0]
    view = view_of(tenant, row)
    return TenantRecord(
        tenant=tenant,
        version=view.version,
        stored=merge_patch(row["settings"], {"brand": row["brand"]}),
        settings=view.settings,
        suspended_because=row["suspended_because"],
        is_suspended=view.is_suspended,
        is_being_deleted=row["deleting_since"] is not None,
    )


async def _write(
    transaction: Transaction,
    tenant: str,
    stored: dict[str, Any],
    *,
    version: int,
    by: By,
    reason: str | None,
    restores: int | None = None,
) -> None:
    rows = await transaction.run(
        "change_tenant_settings",
        tenant=tenant,
        settings=dump_json(stored),
        version=version,
        by=actor_of(by).name,
        reason=reason,
        restores=restores,
    )
    if rows[0]["version"] is None:
        raise SettingsChangedMeanwhile(tenant, version)
