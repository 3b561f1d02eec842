"""Approval faults: changes that wait for a person's yes, while workers die, people race, and prices move.

The load goes on beside them. Each customer asks for a refund over the tenant's limit; the run's audit holds what they
are told against the books, and this module what became of each approval.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from ops.desk.approvals import NotDecidable, decide_on
from ops.desk.desk import Desk
from ops.desk.people import set_person
from ops.desk.roles import Who
from ops.lab.chaos.load import TENANT
from ops.lab.chaos.worker_faults import stop_workers_in_turn
from ops.tenants.settings import change_settings
from runtime.configuration import open_sealer
from runtime.database import Database
from runtime.redis import Scripts
from runtime.tenants import Tenants
from schema.messages.inbound import Inbound
from worker.store.silence import Silence

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from ops.lab.chaos.scene import Scene
    from runtime.database import Row

CUSTOMERS: Final = 4
"""How many ask at once."""

SUPERVISORS: Final = 4
REFUND_USD_OVER: Final = 100
ANSWER_SECONDS_MAX: Final = 40.0
SETTLED_SECONDS_MAX: Final = 60.0
EXPIRES_SECONDS: Final = 1.0
_BOOKINGS: Final = b"""
    SELECT r.confirmation_number, r.reservation_id, r.version, p.surname
    FROM reservation r JOIN reservation_passenger p USING (tenant_id, reservation_id)
    WHERE r.tenant_id = %(tenant)s AND r.status = 'booked' AND r.cabin = 'business'
        AND (SELECT count(*) FROM reservation_passenger o
            WHERE (o.tenant_id, o.reservation_id) = (r.tenant_id, r.reservation_id)) = 1
        AND NOT EXISTS (SELECT FROM reservation_segment s
            JOIN flight_date d USING (tenant_id, flight_number, flight_date)
            WHERE (s.tenant_id, s.reservation_id) = (r.tenant_id, r.reservation_id)
                AND (s.flight_date < current_date + 3 OR d.status <> 'available'))
    ORDER BY r.reservation_id LIMIT %(count)s
"""
"""Bookings that can be cancelled with a refund: in business, by one passenger, on flights that all lie ahead."""

_APPROVALS: Final = b"""
    SELECT a.approval_id, a.conversation_id, a.state, a.decided_by,
        (SELECT count(*) FROM reservation_change c WHERE c.tenant_id = a.tenant_id AND c.tool_call_id = a.approval_id)
            AS made,
        (SELECT count(*) FROM ticket t WHERE t.tenant_id = a.tenant_id AND t.conversation_id = a.conversation_id)
            AS tickets
    FROM approval a WHERE starts_with(a.conversation_id, %(prefix)s) ORDER BY a.conversation_id, a.requested_at
"""
_EXPIRE: Final = b"""
    UPDATE approval SET expires_at = clock_timestamp() + make_interval(secs => %(seconds)s)
    WHERE state = 'waiting' AND starts_with(conversation_id, %(prefix)s)
"""

_Decision = Literal["approved", "rejected"]


@dataclass(frozen=True)
class ApprovalDesk:
    """Customers who ask for refunds, and the supervisors who decide."""

    scene: Scene
    desk: Desk
    people: tuple[Who, ...]
    bookings: Sequence[Row]

    @property
    def prefix(self) -> str:
        """Return how the names of these conversations begin: they belong to the run."""
        return f"{self.scene.run}-approval-"

    async def ask(self) -> None:
        """Let every customer ask for a refund, and say yes to it."""
        await self.wish()
        await self.agree()

    async def wish(self) -> None:
        """Let every customer ask for a refund, which is offered."""
        await asyncio.gather(*(self._wish_for(number) for number in range(len(self.bookings))))

    async def agree(self) -> None:
        """Let every customer say yes to their offer; note whose does not wait for a person then."""
        await asyncio.gather(*(self.say(number, "yes") for number in range(len(self.bookings))))
        waiting = [row for row in await self.look() if row["state"] == "waiting"]
        if len(waiting) != len(self.bookings):
            self.scene.undone.append(f"{len(waiting)} approvals wait, and {len(self.bookings)} customers said yes")

    async def say(self, number: int, *texts: str) -> None:
        """Let one customer write, a message at a time, each after the answer to the one before."""
        name = f"{self.prefix}{number}"
        for text in texts:
            inbound = Inbound(
                message_id=f"{name}-{'-'.join(text.lower().split())[:20]}",
                tenant=TENANT,
                conversation=name,
                channel="chat",
                sender=name,
                text=text,
            )
            if not await self.scene.gateway.ask(inbound, ANSWER_SECONDS_MAX):
                self.scene.undone.append(f"{name}: {text!r} was not answered")

    async def _wish_for(self, number: int) -> None:
        booking = self.bookings[number]
        wish = f"I want to cancel my booking {booking['confirmation_number']}, my surname is {booking['surname']}."
        await self.say(number, wish, "my plans have changed")

    async def look(self) -> list[Row]:
        """Read what became of every approval of the run."""
        async with self.desk.database.transaction(TENANT) as transaction:
            return await (await transaction.connection.execute(_APPROVALS, {"prefix": self.prefix})).fetchall()

    async def decide(self, row: Row, by: Who, decision: _Decision) -> bool:
        """Decide about one approval; return whether this decision counted."""
        try:
            await decide_on(self.desk, by, TENANT, row["approval_id"], decision, reason="chaos")
        except NotDecidable:
            return False
        return True

    async def approve_all(self) -> None:
        """Approve whatever waits."""
        waiting = [row for row in await self.look() if row["state"] == "waiting"]
        counted = await asyncio.gather(*(self.decide(row, self.people[0], "approved") for row in waiting))
        if not all(counted):
            self.scene.undone.append(f"{sum(counted)} of {len(waiting)} decisions counted")

    async def wait_until_settled(self) -> list[Row]:
        """Wait until a turn has taken every decision up; return the approvals, and note those that none took up."""
        rows = await self.look()
        for _ in range(round(SETTLED_SECONDS_MAX / 0.2)):
            if all(row["state"] not in {"waiting", "approved", "rejected", "expired"} for row in rows):
                return rows
            await asyncio.sleep(0.2)
            rows = await self.look()
        left = [f"{row['conversation_id']} is {row['state']}" for row in rows]
        self.scene.undone.append(f"after {SETTLED_SECONDS_MAX:.0f} s not every decision was taken up: {left}")
        return rows

    def hold_to(self, rows: Sequence[Row], *states: Sequence[str]) -> None:
        """Note approvals whose states are not as promised, or whose change was not made once where it was applied."""
        by_conversation: dict[str, list[str]] = {}
        for row in rows:
            by_conversation.setdefault(row["conversation_id"], []).append(row["state"])
            if row["made"] != (row["state"] == "applied"):
                self.scene.undone.append(f"{row['approval_id']}: {row['state']}, and {row['made']} changes made")
        wrong = [f"{name}: {found}" for name, found in by_conversation.items() if tuple(found) not in states]
        if wrong or len(by_conversation) != len(self.bookings):
            self.scene.undone.append(f"of {len(self.bookings)} customers' approvals: {wrong or by_conversation}")


@asynccontextmanager
async def approval_desk(scene: Scene) -> AsyncIterator[ApprovalDesk]:
    """Open a desk at which refunds wait for a person's yes, for the block."""
    database = Database(scene.settings)
    await database.open()
    desk = Desk(database, Scripts(scene.redis), open_sealer(scene.settings), Tenants(database))
    people = tuple(Who(f"Supervisor {number}") for number in range(SUPERVISORS))
    try:
        for person in people:
            await set_person(
                database, TENANT, Who("fte chaos", is_at_machine=True), person=person.name, role="supervisor"
            )
        limits = {"refund_usd_over": REFUND_USD_OVER}
        await change_settings(database, TENANT, {"approvals": limits}, by="fte chaos")
        async with database.transaction(TENANT) as transaction:
            found = await transaction.connection.execute(_BOOKINGS, {"tenant": TENANT, "count": CUSTOMERS})
            bookings = await found.fetchall()
        yield ApprovalDesk(scene, desk, people, bookings)
    finally:
        await change_settings(database, TENANT, {"approvals": None}, by="fte chaos")
        await database.close()


async def die_asking(scene: Scene) -> None:
    """Kill workers before they commit that a person's yes is asked for: it is asked for once all the same."""
    async with approval_desk(scene) as customers:
        await customers.wish()
        before = await _doom(scene, f"commit.begun={customers.prefix}0")
        await customers.agree()
        _note_deaths(scene, before)
        await customers.approve_all()
        customers.hold_to(await customers.wait_until_settled(), ("applied",))


async def die_applying(scene: Scene) -> None:
    """Kill workers that have written an approved change, before COMMIT: it is made once all the same."""
    async with approval_desk(scene) as customers:
        await customers.ask()
        before = await _doom(scene, f"commit.written={customers.prefix}0")
        await customers.approve_all()
        rows = await customers.wait_until_settled()
        _note_deaths(scene, before)
        customers.hold_to(rows, ("applied",))


async def decide_at_once(scene: Scene) -> None:
    """Let supervisors decide about the same changes at once, half of them with a no: one decision counts."""
    async with approval_desk(scene) as customers:
        await customers.ask()
        winners: dict[str, str] = {}
        for row in await customers.look():
            decisions: list[_Decision] = ["approved", "rejected"] * (SUPERVISORS // 2)
            scene.random.shuffle(decisions)
            asked = zip(customers.people, decisions, strict=True)
            counted = await asyncio.gather(*(customers.decide(row, who, decision) for who, decision in asked))
            if sum(counted) != 1:
                scene.undone.append(f"{row['approval_id']}: {sum(counted)} decisions counted")
            winners[row["approval_id"]] = "applied" if decisions[counted.index(True)] == "approved" else "told"
        rows = await customers.wait_until_settled()
        customers.hold_to(rows, ("applied",), ("told",))
        scene.undone += [
            f"{row['approval_id']}: {row['state']}, decided as {winners[row['approval_id']]}"
            for row in rows
            if row["state"] != winners[row["approval_id"]]
        ]


async def decide_as_it_expires(scene: Scene) -> None:
    """Let people approve in the moment in which approvals expire, and several clocks look: one outcome each."""
    async with approval_desk(scene) as customers:
        await customers.ask()
        names = {"prefix": customers.prefix, "seconds": EXPIRES_SECONDS}
        async with customers.desk.database.transaction(TENANT) as transaction:
            await transaction.connection.execute(_EXPIRE, names)
        rows = await customers.look()

        async def approve(row: Row, number: int) -> bool:
            await asyncio.sleep(EXPIRES_SECONDS + (number - len(rows) / 2) * 0.02)
            return await customers.decide(row, customers.people[0], "approved")

        async def expire() -> None:
            for _ in range(20):
                await Silence(customers.desk.database, customers.desk.sealer).look()
                await asyncio.sleep(EXPIRES_SECONDS / 10)

        approving = [approve(row, number) for number, row in enumerate(rows)]
        *counted, _, _ = await asyncio.gather(*approving, expire(), expire())
        settled = await customers.wait_until_settled()
        customers.hold_to(settled, ("applied",), ("told",))
        outcomes = [("applied", 0) if is_approved else ("told", 1) for is_approved in counted]
        expected = {row["approval_id"]: outcome for row, outcome in zip(rows, outcomes, strict=True)}
        scene.undone += [
            f"{row['approval_id']}: {row['state']} with {row['tickets']} tickets, not {expected[row['approval_id']]}"
            for row in settled
            if (row["state"], row["tickets"]) != expected[row["approval_id"]]
        ]


async def change_the_price(scene: Scene) -> None:
    """Change the bookings while their refunds wait: what was approved is not made, and both yeses are needed anew."""
    async with approval_desk(scene) as customers:
        await customers.ask()
        async with customers.desk.database.transaction(TENANT) as transaction:
            for booking in customers.bookings:
                await transaction.run("add_bags", **_bought_elsewhere(booking))
        await customers.approve_all()
        customers.hold_to(await customers.wait_until_settled(), ("changed",))
        await asyncio.gather(*(customers.say(number, "yes please") for number in range(len(customers.bookings))))
        await customers.approve_all()
        customers.hold_to(await customers.wait_until_settled(), ("changed", "applied"))


async def replace_the_workers(scene: Scene) -> None:
    """Stop every worker, one after the other, and start others in their places while approvals wait."""
    async with approval_desk(scene) as customers:
        await customers.ask()
        await stop_workers_in_turn(scene)
        await customers.approve_all()
        customers.hold_to(await customers.wait_until_settled(), ("applied",))


def _bought_elsewhere(booking: Row) -> dict[str, Any]:
    """Return the parameters of a bag that the customer buys by another way than this product."""
    return {
        "reservation_id": booking["reservation_id"],
        "version": booking["version"],
        "conversation_id": "by-telephone",
        "tool_call_id": f"bag-{booking['reservation_id']}",
        "details": "{}",
        "bags": 1,
        "amount_usd": 50,
        "method_number": 1,
    }


async def _doom(scene: Scene, failpoint: str) -> int:
    """Let each worker die once where it gets to a point, and be replaced by one that does not.

    So one customer's turn meets as many deaths as there are workers, and no more. Returns the deaths so far.
    """
    for slot in scene.workers:
        slot.failpoint = failpoint
        await scene.kill(slot)
    for slot in scene.workers:
        await scene.until_ready(slot)
        slot.failpoint = None
    return scene.crew.deaths


def _note_deaths(scene: Scene, before: int) -> None:
    if scene.crew.deaths == before:
        scene.undone.append("no worker died where it was to")
