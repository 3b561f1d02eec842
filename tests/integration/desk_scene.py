"""Give tests the desk of human agents: its people, and a shorter way to take a conversation over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from ops.desk import acts
from ops.desk.desk import Desk
from ops.desk.people import set_person
from ops.desk.roles import Who
from runtime.redis import Scripts
from runtime.tenants import Tenants

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from ops.desk.acts import ActDone
    from ops.desk.roles import Role
    from runtime.database import Database
    from runtime.sealing import Sealer
    from tests.integration.worker_harness import Harness

_AT = "/v1/desk/conversations/{conversation}"
DESK_ROUTES: Final[tuple[tuple[str, str, Any], ...]] = (
    ("GET", "/v1/desk/inbox", None),
    ("POST", "/v1/desk/tickets/{ticket}/open", {"reason": "a look"}),
    ("GET", "/v1/desk/approvals", None),
    ("POST", "/v1/desk/approvals/{approval}/approve", {}),
    ("POST", "/v1/desk/approvals/{approval}/reject", {"reason": "no"}),
    ("GET", _AT, None),
    ("POST", f"{_AT}/claim", None),
    ("POST", f"{_AT}/take-over", {}),
    ("POST", f"{_AT}/renew", None),
    ("POST", f"{_AT}/reply", {"text": "hi", "desk_version": 2, "seen_position": 1}),
    ("POST", f"{_AT}/note", {"text": "a note"}),
    ("POST", f"{_AT}/reassign", {"to": "Holder"}),
    ("POST", f"{_AT}/snooze", {"until": (datetime.now(UTC) + timedelta(hours=1)).isoformat()}),
    ("POST", f"{_AT}/resolve", {}),
    ("POST", f"{_AT}/hand-back", {}),
    ("POST", f"{_AT}/reopen", {}),
    ("GET", "/v1/desk/people", None),
    ("PUT", "/v1/desk/people/{person}", {"role": "agent"}),
    ("DELETE", "/v1/desk/people/{person}", None),
)
"""Every route of the desk, with a body that it takes."""

MACHINE = Who("root", is_at_machine=True)
"""Whoever runs commands where the deployment's keys lie."""


def desk_of(database: Database, redis: Redis, sealer: Sealer) -> Desk:
    return Desk(database, Scripts(redis), sealer, Tenants(database))


def desk_beside(harness: Harness) -> Desk:
    """Give the desk of the servers that a worker under test works on."""
    servers = harness.service.servers
    return desk_of(servers.database, servers.redis, servers.sealer)


async def add_person(database: Database, tenant: str, name: str, role: Role = "agent") -> Who:
    await set_person(database, tenant, MACHINE, person=name, role=role)
    return Who(name)


async def take_over(harness: Harness, conversation: str = "c") -> ActDone:
    return await acts.take_over(desk_beside(harness), MACHINE, harness.key(conversation))


async def hand_back(harness: Harness, conversation: str = "c") -> ActDone:
    return await acts.hand_back(desk_beside(harness), MACHINE, harness.key(conversation))


async def resolve(harness: Harness, conversation: str = "c") -> ActDone:
    return await acts.resolve(desk_beside(harness), MACHINE, harness.key(conversation))
