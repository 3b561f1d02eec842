"""Legal holds: what is held is neither erased nor removed for its age."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ops.audit.acts import Act, By, actor_of, record_act

if TYPE_CHECKING:
    from runtime.database import Database, Row


def held_person(person_key: str) -> str:
    """Return the subject of a hold on all conversations of a person, also of those to come."""
    return f"person:{person_key}"


def held_conversation(conversation: str) -> str:
    """Return the subject of a hold on one conversation."""
    return f"conversation:{conversation}"


async def place_hold(database: Database, tenant: str, subject: str, *, by: By, reason: str) -> bool:
    """Hold a person or a conversation from now on; return False where that is held already."""
    async with database.transaction(tenant) as transaction:
        name = actor_of(by).name
        if not await transaction.run("place_hold", tenant=tenant, subject=subject, reason=reason, by=name):
            return False
        await record_act(transaction, tenant, by, _act("hold.placed", subject, reason))
    return True


async def lift_hold(database: Database, tenant: str, subject: str, *, by: By, reason: str | None = None) -> bool:
    """Lift a hold; return False where there is none."""
    async with database.transaction(tenant) as transaction:
        if not await transaction.run("lift_hold", tenant=tenant, subject=subject):
            return False
        await record_act(transaction, tenant, by, _act("hold.lifted", subject, reason))
    return True


async def list_holds(database: Database, tenant: str) -> list[Row]:
    """List a tenant's holds, oldest first."""
    return await database.read(tenant, "list_holds", tenant=tenant)


def _act(operation: str, subject: str, reason: str | None) -> Act:
    kind, _, name = subject.partition(":")
    return Act(operation, subject, name if kind == "conversation" else None, reason)
