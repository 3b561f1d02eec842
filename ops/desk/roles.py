"""Decide what a person may do at the desk of human agents: a role for each person of a tenant, and one table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, get_args

from ops.audit.acts import Actor
from schema.errors import FteError

if TYPE_CHECKING:
    from runtime.database import Transaction

Role = Literal["viewer", "agent", "supervisor", "operator", "analyst", "admin"]
Operation = Literal[
    "list",
    "read",
    "claim",
    "renew",
    "take_over",
    "reply",
    "note",
    "reassign",
    "snooze",
    "resolve",
    "hand_back",
    "reopen",
    "open_ticket",
    "override",
    "decide",
    "list_people",
    "set_people",
]

ROLES: Final[tuple[Role, ...]] = get_args(Role)
OPERATIONS: Final[tuple[Operation, ...]] = get_args(Operation)

_AGENT: Final[frozenset[Operation]] = frozenset(
    {
        "list",
        "read",
        "claim",
        "renew",
        "take_over",
        "reply",
        "note",
        "reassign",
        "snooze",
        "resolve",
        "hand_back",
        "reopen",
        "open_ticket",
    }
)
MAY: Final[dict[Role, frozenset[Operation]]] = {
    "viewer": frozenset({"list"}),
    "agent": _AGENT,
    "supervisor": _AGENT | {"override", "decide", "list_people"},
    "operator": frozenset({"list", "list_people"}),
    "analyst": frozenset({"list"}),
    "admin": frozenset(OPERATIONS),
}
"""What each role may do. `override`: act in a conversation that somebody else has, and open tickets of any;
`decide`: about approvals."""


@dataclass(frozen=True)
class Who:
    """A person who does something at the desk."""

    name: str
    is_at_machine: bool = False
    """Whether the person runs commands where the deployment's keys lie. Whoever is listed there acts in their role;
    who is not, as an admin: those keys open everything anyway."""
    address: str | None = None
    """Where the request came from, for the record."""


class NotAtDesk(FteError):
    """Somebody who is not listed among the people of a tenant's desk."""

    def __init__(self, tenant: str, name: str) -> None:
        super().__init__(f"nobody called {name} is at the desk of tenant {tenant}; `fte people set` lists a person")
        self.tenant = tenant
        self.name = name


class NotAllowed(FteError):
    """An operation that a person's role does not allow."""

    def __init__(self, name: str, role: Role, operation: Operation) -> None:
        able = ", ".join(other for other in ROLES if operation in MAY[other])
        super().__init__(
            f"{name} is {role} and may not {operation.replace('_', ' ')}; roles that may: {able} (`fte people set`)"
        )
        self.name = name
        self.role = role
        self.operation = operation


@dataclass(frozen=True)
class DeskPerson:
    """A person with the role that they have now; made by `authorise` alone."""

    name: str
    role: Role
    address: str | None = None

    def on_record(self) -> Actor:
        """Return how the audit log names the person."""
        return Actor(self.name, self.role, self.address)

    def may(self, operation: Operation) -> bool:
        """Check whether the person's role allows an operation."""
        return operation in MAY[self.role]


async def authorise(transaction: Transaction, tenant: str, who: Who, operation: Operation) -> DeskPerson:
    """Look up a person's role and return the actor, if the role allows an operation.

    Part of the operation's own transaction, so a role that was taken away counts at once. Raises NotAtDesk, NotAllowed.
    """
    rows = await transaction.run("find_member", tenant=tenant, person=who.name)
    if not rows and not who.is_at_machine:
        raise NotAtDesk(tenant, who.name)
    actor = DeskPerson(who.name, rows[0]["role"] if rows else "admin", who.address)
    if not actor.may(operation):
        raise NotAllowed(actor.name, actor.role, operation)
    return actor
