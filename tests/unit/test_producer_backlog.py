"""Keep each tenant to its part of the backlog, and the count right while messages are under way."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from producer.sending.backlog import Backlog
from schema.errors import Overloaded


class Inbox:
    """Stand in for PostgreSQL: counts what the test says, when the test lets it."""

    is_fenced = False

    def __init__(self) -> None:
        self.waiting: dict[str, int] = {}
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def read(self, _scope: str, _query: str, **_: Any) -> list[dict[str, Any]]:
        rows = [{"tenant_id": tenant, "waiting": count} for tenant, count in self.waiting.items()]
        await self.may_answer.wait()
        return rows


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def backlog(inbox: Inbox) -> Backlog:
    return Backlog(inbox, messages_max=10, tenant_messages_max=6)  # type: ignore[arg-type]  # stands in for it


def refusals(backlog: Backlog, *tenants: str) -> list[tuple[str | None, int, int] | None]:
    """Take room and give it back; gives for each message whose limit refuses it, and with what figures."""
    with backlog.taken(tenants) as room:
        return [(each.tenant, each.waiting, each.waiting_max) if each else None for each in room.refusals]


async def test_a_tenant_that_is_full_is_refused_alone(backlog: Backlog, inbox: Inbox) -> None:
    inbox.waiting = {"crowd": 6}
    await backlog.look()

    assert refusals(backlog, "quiet", "crowd", "quiet") == [None, ("crowd", 6, 6), None]


async def test_all_together_are_refused_at_the_limit_of_all(backlog: Backlog, inbox: Inbox) -> None:
    inbox.waiting = {"one": 5, "other": 4}
    await backlog.look()

    assert refusals(backlog, "one", "third", "one") == [None, (None, 10, 10), (None, 10, 10)]


def test_a_refusal_names_the_setting_that_refuses() -> None:
    assert "FTE_TENANT_BACKLOG_MESSAGES_MAX" in str(Overloaded(6, 6, 10, tenant="crowd"))
    assert "FTE_BACKLOG_MESSAGES_MAX" in str(Overloaded(6, 6, 10))


async def test_a_count_that_ends_after_refused_messages_gave_their_room_back_does_not_go_below_zero(
    backlog: Backlog, inbox: Inbox
) -> None:
    inbox.may_answer.clear()
    with backlog.taken(["t"] * 5):
        looking = asyncio.create_task(backlog.look())
        await asyncio.sleep(0)
    inbox.may_answer.set()
    await looking

    assert (backlog.waiting, backlog.waiting_of("t")) == (0, 0)
    assert refusals(backlog, *["t"] * 7)[-1] == ("t", 6, 6)


async def test_what_was_accepted_while_it_was_counted_counts(backlog: Backlog, inbox: Inbox) -> None:
    inbox.may_answer.clear()
    looking = asyncio.create_task(backlog.look())
    await asyncio.sleep(0)
    with backlog.taken(["t"] * 3) as room:
        room.accepted["t"] += 3
    inbox.may_answer.set()
    await looking

    assert backlog.waiting_of("t") == 3


async def test_room_of_a_call_that_was_broken_off_comes_back(backlog: Backlog) -> None:
    with pytest.raises(TimeoutError), backlog.taken(["t"] * 6):
        raise TimeoutError

    assert refusals(backlog, "t") == [None]
