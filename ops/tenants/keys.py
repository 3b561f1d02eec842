"""Make, list, rotate and revoke API keys."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from psycopg import errors

from ops.audit.acts import Act, By, actor_of, record_act
from runtime.api_keys import OPERATOR, SCOPES, GeneratedKey, make_key
from schema.errors import FteError, UnknownTenant

if TYPE_CHECKING:
    from runtime.database import Database, Row, Transaction

LABEL_LENGTH_MAX = 100
ADDRESSES_MAX = 50


class KeyUnknown(FteError):
    """There is no such API key of the tenant."""

    def __init__(self, tenant: str, key_id: str) -> None:
        super().__init__(f"tenant {tenant!r} has no API key {key_id!r}; `fte keys list` shows those that there are")


class KeyGone(FteError):
    """The API key has been revoked or has expired, so it is not replaced by another."""

    def __init__(self, key_id: str) -> None:
        super().__init__(f"API key {key_id} is revoked or expired; make a new one with `fte keys create`")


class KeyRequestInvalid(FteError):
    """What is asked for makes no API key."""


@dataclass(frozen=True, slots=True)
class KeyRequest:
    """What a new API key is for."""

    label: str
    scopes: tuple[str, ...]
    person: str | None = None
    expires_at: datetime | None = None
    addresses: tuple[str, ...] = ()
    """Networks that it may come from, such as 192.0.2.0/24; none: any."""


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A new key: its text, which is nowhere else, and its row."""

    text: str
    row: Row


async def create_key(database: Database, tenant: str, request: KeyRequest, *, by: By, now: datetime) -> IssuedKey:
    """Make an API key of a tenant, or of operators (OPERATOR).

    Raises UnknownTenant, and KeyRequestInvalid naming what is wrong.
    """
    _check(tenant, request, now)
    async with database.transaction(tenant) as transaction:
        made = await _add(transaction, tenant, request, make_key(), by)
        await record_act(transaction, tenant, by, Act("key.created", made.row["key_id"], after=_seen(request)))
        return made


async def list_keys(database: Database, tenant: str) -> list[Row]:
    """List the API keys of a tenant, or of operators, oldest first; revoked and expired ones too."""
    return await database.read(tenant, "list_api_keys", tenant=_column(tenant), key_id=None)


async def revoke_key(database: Database, tenant: str, key_id: str, *, by: By, now: datetime) -> datetime:
    """Revoke an API key and return since when it is; every process refuses it within five seconds.

    Raises KeyUnknown.
    """
    revocation = {"key_id": key_id, "at": now, "by": actor_of(by).name, "replaced_by": None}
    async with database.transaction(tenant) as transaction:
        rows = await transaction.run("revoke_api_key", tenant=_column(tenant), **revocation)
        if not rows:
            raise KeyUnknown(tenant, key_id)
        await record_act(transaction, tenant, by, Act("key.revoked", key_id))
    revoked_at: datetime = rows[0]["revoked_at"]
    return revoked_at


async def rotate_key(
    database: Database, tenant: str, key_id: str, *, overlap: timedelta, by: By, now: datetime
) -> IssuedKey:
    """Make a key like another one, which is revoked after the overlap; until then both are accepted.

    Raises KeyUnknown, KeyGone.
    """
    async with database.transaction(tenant) as transaction:
        rows = await transaction.run("list_api_keys", tenant=_column(tenant), key_id=key_id)
        if not rows:
            raise KeyUnknown(tenant, key_id)
        old = rows[0]
        if any(end is not None and end <= now for end in (old["revoked_at"], old["expires_at"])):
            raise KeyGone(key_id)
        request = KeyRequest(
            old["label"], tuple(old["scopes"]), old["person"], old["expires_at"], tuple(old["addresses"])
        )
        made = await _add(transaction, tenant, request, make_key(), by)
        await transaction.run(
            "revoke_api_key",
            tenant=_column(tenant),
            key_id=key_id,
            at=now + overlap,
            by=actor_of(by).name,
            replaced_by=made.row["key_id"],
        )
        await record_act(transaction, tenant, by, Act("key.rotated", key_id, after={"key_id": made.row["key_id"]}))
        return made


async def _add(transaction: Transaction, tenant: str, request: KeyRequest, key: GeneratedKey, by: By) -> IssuedKey:
    try:
        rows = await transaction.run(
            "add_api_key",
            key_id=key.key_id,
            tenant=_column(tenant),
            key_hash=key.key_hash,
            label=request.label,
            person=request.person,
            scopes=list(request.scopes),
            addresses=list(request.addresses),
            by=actor_of(by).name,
            expires_at=request.expires_at,
        )
    except errors.ForeignKeyViolation:
        raise UnknownTenant(tenant) from None
    return IssuedKey(key.text, rows[0])


def _seen(request: KeyRequest) -> dict[str, Any]:
    return {"scopes": request.scopes, "person": request.person, "addresses": request.addresses}


def _column(tenant: str) -> str | None:
    return None if tenant == OPERATOR else tenant


def _check(tenant: str, request: KeyRequest, now: datetime) -> None:
    problems = []
    if not 1 <= len(request.label) <= LABEL_LENGTH_MAX:
        problems.append(f"label: 1 to {LABEL_LENGTH_MAX} characters")
    unknown = sorted(set(request.scopes) - set(SCOPES))
    if unknown or not request.scopes:
        problems.append(f"scopes: {', '.join(unknown) or 'none'}; give some of {', '.join(SCOPES)}")
    if tenant == OPERATOR and tuple(request.scopes) != ("admin",):
        problems.append("scopes: a key of operators has the scope admin alone; make another for a tenant")
    if request.expires_at is not None and request.expires_at.astimezone(UTC) <= now:
        problems.append(f"expires_at: {request.expires_at.isoformat()} has passed")
    if len(request.addresses) > ADDRESSES_MAX:
        problems.append(f"addresses: {len(request.addresses)}, at most {ADDRESSES_MAX}")
    for address in request.addresses:
        try:
            ipaddress.ip_network(address)
        except ValueError as error:
            problems.append(f"addresses: {error}; give networks such as 192.0.2.0/24 or 2001:db8::/32")
    if problems:
        raise KeyRequestInvalid("; ".join(problems))
