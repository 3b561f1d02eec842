"""What requests and answers of the administration say."""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from ops.desk.switches import SECONDS_MAX
from runtime.api_keys import SCOPES
from schema.ids import TENANT_PATTERN

Reason = Annotated[str | None, Field(default=None, max_length=500, description="why; goes on record")]
ScopeName = Annotated[str, Field(json_schema_extra={"enum": list(SCOPES)})]


_NUL: Final = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


class Body(BaseModel):
    """What a request says: no field that is unknown, and nothing that PostgreSQL cannot hold."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _can_be_stored(cls, value: Any) -> Any:
        """Refuse what PostgreSQL cannot hold, wherever it stands: U+0000, and half of a surrogate pair."""
        if not isinstance(value, dict):
            return value  # refused for that
        encoded = json.dumps(value, ensure_ascii=False)
        try:
            encoded.encode()
        except UnicodeEncodeError:
            raise ValueError("text that is no Unicode: half of a surrogate pair") from None
        if _NUL.search(encoded):
            raise ValueError("text with the character U+0000, which cannot be stored")
        return value


class NewTenant(Body):
    """A tenant to make."""

    tenant: str = Field(pattern=TENANT_PATTERN)
    settings: dict[str, Any] = Field(default_factory=dict, description="as of a change")
    reason: Reason


class SettingsChange(Body):
    """A JSON merge patch (RFC 7396) of a tenant's settings: null takes one back to its default."""

    settings: dict[str, Any]
    reason: Reason


class Undo(Body):
    """Which version to go back to; unset: the one before."""

    version: int | None = Field(default=None, ge=0, le=2**62, strict=True)
    reason: Reason


class Suspension(Body):
    """Why a tenant is suspended."""

    because: str = Field(min_length=1, max_length=500)


class NewKey(Body):
    """An API key to make."""

    label: str = Field(min_length=1, max_length=100)
    scopes: list[ScopeName] = Field(min_length=1, max_length=len(SCOPES))
    person: str | None = Field(default=None, min_length=1, max_length=100)
    expires_at: AwareDatetime | None = None
    addresses: list[str] = Field(default_factory=list, max_length=50, description="networks, such as 192.0.2.0/24")


class Rotation(Body):
    """For how long the old key is accepted beside the new one."""

    overlap_seconds: int = Field(default=604_800, ge=0, le=31_536_000, strict=True)


class Erasure(Body):
    """Whom to erase, and whether to do it or to count only."""

    person: str = Field(min_length=1, max_length=400, description="CHANNEL:ADDRESS, or the key of a receipt")
    confirm: bool = Field(default=False, strict=True, description="false: only count")
    with_others: bool = Field(default=False, strict=True, description="also conversations in which others wrote")
    reason: Reason


class PersonExport(Body):
    """Whose data to export."""

    person: str = Field(min_length=1, max_length=400, description="CHANNEL:ADDRESS, or the key of a receipt")
    reason: Reason


class SwitchingOff(Body):
    """Why something is switched off, and for how long."""

    reason: str = Field(min_length=1, max_length=500, pattern=r"\S", description="why; goes on record")
    seconds: float | None = Field(
        default=None, gt=0, le=SECONDS_MAX, strict=True, description="on again by itself then; unset: when turned on"
    )
    any_name: bool = Field(default=False, strict=True, description="also an agent or tool that this release lacks")


class SwitchOff(BaseModel):
    """Something that is switched off."""

    kind: str
    name: str
    tenant: str | None = Field(description="null: for every tenant")
    by: str
    reason: str
    off_at: AwareDatetime
    off_until: AwareDatetime | None = Field(description="null: until it is turned on")


class Tenant(BaseModel):
    """A tenant and its settings."""

    tenant: str
    version: int = Field(description="of the settings; 0: none of its own")
    settings: dict[str, Any] = Field(description="what it sets itself")
    effective: dict[str, Any] = Field(description="what holds, with defaults")
    is_suspended: bool
    suspended_because: str | None
    is_being_deleted: bool


class TenantSummary(BaseModel):
    """A line of the list of tenants."""

    tenant_id: str
    brand: str | None
    created_at: AwareDatetime
    suspended_at: AwareDatetime | None
    deleting_since: AwareDatetime | None
    version: int
    keys: int


class Change(BaseModel):
    """One change of a tenant's settings."""

    version: int
    settings: dict[str, Any]
    changed_at: AwareDatetime
    changed_by: str
    reason: str | None
    restores: int | None


class Key(BaseModel):
    """An API key, without what makes it one."""

    key_id: str
    tenant_id: str | None
    label: str
    person: str | None
    scopes: list[str]
    addresses: list[str]
    created_at: AwareDatetime
    created_by: str
    expires_at: AwareDatetime | None
    revoked_at: AwareDatetime | None
    revoked_by: str | None
    replaced_by: str | None
    last_used_at: AwareDatetime | None = Field(description="the hour")


class MadeKey(Key):
    """A new API key; its text is nowhere else, so keep it now."""

    key: str


class Removal(BaseModel):
    """The receipt of a tenant's deletion so far."""

    tenant: str
    requested_by: str
    rows: dict[str, int]
    entries: dict[str, int]
    keys: int
    is_finished: bool = Field(description="false: ask again, it goes on")


class AuditEntry(BaseModel):
    """One act on record."""

    number: int = Field(description="its place in the tenant's chain")
    at: AwareDatetime
    actor: str
    role: str
    address: str | None
    operation: str
    object: str | None = Field(description="null: erased")
    conversation: str | None
    reason: str | None
    erased_by: int | None = Field(description="the number of the entry that records why object and reason are gone")
    hash: str


class AuditReport(BaseModel):
    """What verifying a tenant's audit chain found."""

    is_whole: bool
    entries: int
    erased: int
    broken_at: int | None
    problem: str
    anchor: str = Field(description="NUMBER:HASH of the newest entry that is good; note it elsewhere")


class ErasureResult(BaseModel):
    """The receipt of an erasure."""

    tenant: str
    person_key: str
    is_dry_run: bool
    conversations: int
    rows: dict[str, int]
    audit_details: int
    entries: int
    keys: int
    held: int = Field(description="conversations that stay: legal hold")
    shared: int = Field(description="conversations that stay: others wrote in them")
    audit_number: int | None
