"""List the people of a tenant's desk, and set or remove their roles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ops.audit.acts import Act, record_act
from ops.desk.roles import NotAtDesk, Who, authorise

if TYPE_CHECKING:
    from ops.desk.roles import Role
    from runtime.database import Database, Row


PERSON_CHARACTERS_MAX: Final = 100
"""As of an API key's person."""


async def list_people(database: Database, tenant: str, who: Who) -> list[Row]:
    """List the people of a desk by name: person, role, set_by, set_at. Raises NotAtDesk, NotAllowed."""
    async with database.transaction(tenant) as transaction:
        await authorise(transaction, tenant, who, "list_people")
        return await transaction.run("list_members", tenant=tenant)


async def set_person(database: Database, tenant: str, who: Who, *, person: str, role: Role) -> str | None:
    """Give a person a role at a desk; return the role they had.

    Raises NotAtDesk, NotAllowed; ValueError for the name.
    """
    name = check_name(person)
    async with database.transaction(tenant) as transaction:
        actor = await authorise(transaction, tenant, who, "set_people")
        [row] = await transaction.run("set_member", tenant=tenant, person=name, role=role, set_by=who.name)
        before: str | None = row["role_before"]
        await record_act(transaction, tenant, actor.on_record(), Act("person.set", name, before=before, after=role))
    return before


async def remove_person(database: Database, tenant: str, who: Who, *, person: str) -> str:
    """Take a person off a desk; return the role they had. What they have lapses as any claim does.

    Raises NotAtDesk, NotAllowed.
    """
    async with database.transaction(tenant) as transaction:
        actor = await authorise(transaction, tenant, who, "set_people")
        rows = await transaction.run("remove_member", tenant=tenant, person=person)
        if not rows:
            raise NotAtDesk(tenant, person)
        role: str = rows[0]["role"]
        await record_act(transaction, tenant, actor.on_record(), Act("person.removed", person, before=role))
    return role


def check_name(person: str) -> str:
    """Return a person's name without blanks around it; raises ValueError for one that no API key could bear."""
    name = person.strip()
    if not 0 < len(name) <= PERSON_CHARACTERS_MAX:
        raise ValueError(f"a person's name has 1 to {PERSON_CHARACTERS_MAX} characters, not {len(name)}")
    return name
