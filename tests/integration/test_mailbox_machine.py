"""Drive the mailbox scripts as workers do that stall, crash and lose answers, and look at what holds after every step.

The truth about what is answered stands outside, as PostgreSQL's fence does: a turn commits the next positions only.
Time is not waited for: a rule moves the deadlines that Redis holds into the past, but not those that a clock has set
that went back by an hour since: nobody waits for these.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from fakeredis import FakeAsyncRedis, FakeServer
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from redis.asyncio import Redis

from runtime.redis import Scripts, make_redis
from schema.ids import ConversationKey
from schema.keys import mailbox_keys
from schema.messages.envelope import Envelope
from schema.settings import Settings
from worker.mailbox.mailbox import Head, Lease, LeaseLost, Mailbox

WORKERS = ("w1", "w2", "w3")
CONVERSATIONS = ("hot", "cold")
HOUR_MS = 3_600_000
SWEPT_MAX = 10_000
ROUNDS_MAX = 200
"""Looks at the agenda within which everything accepted must be answered once nothing fails any more."""

conversations = st.sampled_from(CONVERSATIONS)
choices = st.integers(0, len(WORKERS) - 1)
"""Which of the workers that hold something, or of those that do not."""

somebody_holds = precondition(lambda machine: bool(machine.holding))


@dataclass
class Holding:
    """Hold what a worker believes it has."""

    lease: Lease
    head: Head
    is_answered: bool = False
    followers: tuple[Envelope, ...] = ()
    """What was answered together with the head, whether or not it is in the mailbox."""


class MailboxMachine(RuleBasedStateMachine):
    """Accept, drain, fail and repair two conversations with three workers."""

    def __init__(self, connect: Callable[[], Redis], product: Settings) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.partitions = product.partitions
        tenant = f"machine-{uuid.uuid4().hex[:12]}"
        self.keys = {name: ConversationKey(tenant, name) for name in CONVERSATIONS}
        self.runner.run(self.open(connect, product))
        self.accepted = dict.fromkeys(CONVERSATIONS, 0)
        self.answered: dict[str, list[int]] = {name: [] for name in CONVERSATIONS}
        self.holding: dict[str, Holding] = {}
        self.leased: dict[str, str | None] = dict.fromkeys(CONVERSATIONS)
        """Token of the lease that runs, by what was done: another worker must not get it."""
        self.set_back_at_last: str | None = None

    async def open(self, connect: Callable[[], Redis], product: Settings) -> None:
        self.client = connect()
        self.mailbox = Mailbox(self.client, Scripts(self.client), product)

    @initialize(set_back_at_last=st.sampled_from((None, *CONVERSATIONS)))
    def begin(self, set_back_at_last: str | None) -> None:
        """Begin in the middle: three messages wait, and one worker is at the first."""
        self.set_back_at_last = set_back_at_last
        self.accept("hot", is_lost=False, count=3)
        self.acquire(0, "hot", is_lost=False)

    # What goes in

    @rule(name=conversations, is_lost=st.booleans(), count=st.integers(1, 3))
    def accept(self, name: str, *, is_lost: bool, count: int) -> None:
        """Accept messages; the last one may not reach the mailbox."""
        for number in range(count):
            self.accepted[name] += 1
            if not is_lost or number < count - 1:
                self.do(self.mailbox.append(self.keys[name], [self.envelope(self.accepted[name])]))

    # What workers do

    @precondition(lambda machine: len(machine.holding) < len(WORKERS))
    @rule(choice=choices, name=conversations, is_lost=st.booleans())
    def acquire(self, choice: int, name: str, *, is_lost: bool) -> None:
        """Take a conversation up; when the answer is lost, the worker believes that it has nothing."""
        idle = [worker for worker in WORKERS if worker not in self.holding]
        acquired = self.do(self.mailbox.acquire(self.keys[name]))
        if self.leased[name]:
            assert acquired == "busy"
        if isinstance(acquired, str):
            return
        self.leased[name] = acquired[0].token
        if not is_lost:
            self.holding[idle[choice % len(idle)]] = Holding(*acquired)

    @somebody_holds
    @rule(choice=choices)
    def answer(self, choice: int) -> None:
        """Run a turn: the fence lets the next position through, a gap is repaired, what is answered is passed over."""
        self.run_turn(*self.holder(choice))

    @somebody_holds
    @rule(choice=choices, together=st.integers(1, 3), more=st.booleans(), is_lost=st.booleans())
    def answer_and_acknowledge(self, choice: int, *, together: int, more: bool, is_lost: bool) -> None:
        """Run a turn for some messages, remove them, and go on with the next one; or die before the answer comes."""
        worker, held = self.holder(choice)
        self.run_turn(worker, held, together=together)
        if held.is_answered:
            self.go_on(worker, held, more=more)
        if is_lost:
            self.holding.pop(worker, None)

    @somebody_holds
    @rule(choice=choices, untried=st.booleans())
    def release(self, choice: int, *, untried: bool) -> None:
        """Give the conversation back."""
        worker, held = self.holder(choice)
        self.give_back(worker, held, untried=untried)

    @somebody_holds
    @rule(choice=choices, counts=st.booleans())
    def park(self, choice: int, *, counts: bool) -> None:
        """Give the conversation back until later: nobody has it before its time."""
        worker, held = self.holder(choice)
        del self.holding[worker]
        self.do(self.mailbox.park(held.lease, held.head, backoff_seconds=60, counts=counts))
        if self.is_holder(held):
            self.leased[held.lease.key.conversation] = None
            assert self.do(self.mailbox.acquire(held.lease.key)) in {"parked", "empty"}

    @somebody_holds
    @rule(choice=choices)
    def renew(self, choice: int) -> None:
        """Prolong a lease; a worker that has lost it drops its work."""
        worker, held = self.holder(choice)
        if self.do(self.mailbox.renew([held.lease])):
            assert not self.is_holder(held)
            del self.holding[worker]

    # What goes wrong

    @somebody_holds
    @rule(choice=choices)
    def crash(self, choice: int) -> None:
        """Die; what the worker held stays leased until its time is over."""
        worker, _ = self.holder(choice)
        del self.holding[worker]

    @rule(name=conversations)
    def let_time_pass(self, name: str) -> None:
        """Let every deadline of a conversation pass; whoever holds it has stalled and does not know."""
        self.leased[name] = None
        self.do(self.expire(self.keys[name]))

    @rule(name=conversations)
    def let_the_clock_go_back(self, name: str) -> None:
        """Let Redis's clock go back by an hour: what it has set for a conversation is an hour off, and void."""
        self.leased[name] = None
        self.do(self.move(self.keys[name], lambda deadline: deadline + HOUR_MS))

    @precondition(lambda machine: 0 < len(machine.holding) < len(WORKERS))
    @rule(choice=choices, then=st.sampled_from(["acknowledge", "release", "park", "renew", "sleep on"]))
    def stall(self, choice: int, then: str) -> None:
        """Sleep for longer than the lease, so that another worker takes the conversation; then wake up and go on."""
        worker, held = self.holder(choice)
        name = held.lease.key.conversation
        self.let_time_pass(name)
        self.acquire(choice, name, is_lost=False)
        if then == "acknowledge":
            self.run_turn(worker, held)
            if held.is_answered:
                self.go_on(worker, held, more=True)
        elif then == "release":
            self.give_back(worker, held, untried=True)
        elif then == "park":
            del self.holding[worker]
            self.do(self.mailbox.park(held.lease, held.head, backoff_seconds=60, counts=False))
        elif then == "renew":
            self.do(self.mailbox.renew([held.lease]))

    @rule(name=conversations, place=st.integers(0, 3))
    def lose_an_entry(self, name: str, place: int) -> None:
        """Lose one entry, as a Redis that comes back with an older file does."""
        self.do(self.drop_entry(self.keys[name], place))

    @rule()
    def lose_everything(self) -> None:
        """Lose every key."""
        for name, key in self.keys.items():
            self.leased[name] = None
            self.do(self.forget(key))

    # What repairs

    @rule(name=conversations)
    def reconcile(self, name: str) -> None:
        """Put back what was accepted where nobody looks at the conversation."""
        key = self.keys[name]
        waiting = range(len(self.answered[name]) + 1, self.accepted[name] + 1)
        if waiting and not self.do(self.mailbox.on_agenda([key]))[0]:
            self.restore(key, waiting)

    @rule(name=conversations)
    def restore_what_is_there(self, name: str) -> None:
        """Put back what was never lost: two workers repair at once."""
        self.restore(self.keys[name], range(len(self.answered[name]) + 1, self.accepted[name] + 1))

    # What holds after every step

    @invariant()
    def answers_follow_each_other_once_each(self) -> None:
        for name in CONVERSATIONS:
            assert self.answered[name] == list(range(1, len(self.answered[name]) + 1))
            assert len(self.answered[name]) <= self.accepted[name]

    @invariant()
    def a_mailbox_ascends_and_holds_nothing_twice(self) -> None:
        for key in self.keys.values():
            positions = self.do(self.positions(key))
            assert positions == sorted(set(positions))

    @invariant()
    def a_mailbox_with_entries_is_on_the_agenda(self) -> None:
        for key in self.keys.values():
            if self.do(self.positions(key)):
                assert self.do(self.mailbox.on_agenda([key])) == [True]

    @invariant()
    def a_conversation_has_one_holder(self) -> None:
        for key in self.keys.values():
            token = self.leased[key.conversation]
            assert token is None or self.do(self.token(key)) == token.encode()

    def teardown(self) -> None:
        """Let nothing fail any more: everything accepted must come to its answer, whatever happened before."""
        try:
            self.holding.clear()
            self.leased = dict.fromkeys(CONVERSATIONS)
            if self.set_back_at_last is not None:
                self.let_the_clock_go_back(self.set_back_at_last)
            for _ in range(ROUNDS_MAX):
                if all(len(self.answered[name]) == self.accepted[name] for name in CONVERSATIONS):
                    break
                for name in CONVERSATIONS:
                    self.reconcile(name)
                    self.let_time_pass(name)
                overdue = self.do(self.mailbox.sweep(SWEPT_MAX))
                for name, key in self.keys.items():
                    if key in overdue:
                        self.drain(name)
            assert {name: len(done) for name, done in self.answered.items()} == self.accepted
        finally:
            for key in self.keys.values():
                self.do(self.forget(key))
            self.do(self.client.aclose())
            self.runner.close()

    # How

    def drain(self, name: str) -> None:
        acquired = self.do(self.mailbox.acquire(self.keys[name]))
        if isinstance(acquired, str):
            return
        self.holding["w1"] = Holding(*acquired)
        while held := self.holding.get("w1"):
            self.run_turn("w1", held)
            if held.is_answered:
                self.go_on("w1", held, more=True)

    def run_turn(self, worker: str, held: Holding, *, together: int = 1) -> None:
        name, key = held.lease.key.conversation, held.lease.key
        position = Envelope.model_validate_json(held.head.raw).position
        expected = len(self.answered[name]) + 1
        assert held.head.attempts >= 1
        if position > expected:
            self.restore(key, range(expected, position))
            self.give_back(worker, held, untried=True)
            return
        if position == expected:
            answered = range(position, min(position + together, self.accepted[name] + 1))
            self.answered[name] += answered
            held.followers = tuple(self.envelope(each) for each in answered[1:])
        held.is_answered = True

    def go_on(self, worker: str, held: Holding, *, more: bool) -> None:
        try:
            following = self.do(self.mailbox.acknowledge(held.lease, held.head, more=more, followers=held.followers))
        except LeaseLost:
            assert not self.is_holder(held)
            del self.holding[worker]
            return
        assert self.is_holder(held) or self.leased[held.lease.key.conversation] is None
        if following is not None:
            self.holding[worker] = Holding(held.lease, following)
        else:
            self.give_back(worker, held, untried=False)

    def give_back(self, worker: str, held: Holding, *, untried: bool) -> None:
        del self.holding[worker]
        self.do(self.mailbox.release(held.lease, untried=held.head if untried else None))
        if self.is_holder(held):
            self.leased[held.lease.key.conversation] = None

    def holder(self, choice: int) -> tuple[str, Holding]:
        holders = sorted(self.holding)
        worker = holders[choice % len(holders)]
        return worker, self.holding[worker]

    def is_holder(self, held: Holding) -> bool:
        return self.leased[held.lease.key.conversation] == held.lease.token

    def restore(self, key: ConversationKey, positions: range) -> None:
        rows = [{"position": p, "message_id": f"m{p}", "payload": "sealed"} for p in positions]
        self.do(self.mailbox.restore(key, rows))

    def envelope(self, position: int) -> Envelope:
        return Envelope(position=position, message_id=f"m{position}", payload="sealed")

    def do(self, coroutine: Any) -> Any:
        return self.runner.run(coroutine)

    async def expire(self, key: ConversationKey) -> None:
        """Let the deadlines of a conversation pass that are not an hour off."""
        seconds, _ = await self.client.time()
        soon = seconds * 1_000 + HOUR_MS // 2
        await self.move(key, lambda deadline: 1 if deadline < soon else deadline)

    async def move(self, key: ConversationKey, moved: Callable[[float], float]) -> None:
        """Set the deadlines of a conversation to other ones."""
        keys = mailbox_keys(key, self.partitions)
        for name in ("until", "not_before"):
            deadline: Any = await self.client.hget(keys.lease, name)
            if deadline is not None:
                await self.client.hset(keys.lease, name, f"{moved(float(deadline)):.0f}")
        score = await self.client.zscore(keys.agenda, str(key))
        if score is not None:
            await self.client.zadd(keys.agenda, {str(key): moved(score)}, xx=True)

    async def drop_entry(self, key: ConversationKey, place: int) -> None:
        mailbox = mailbox_keys(key, self.partitions).mailbox
        entry: Any = await self.client.lindex(mailbox, place)
        if entry is not None:
            await self.client.lrem(mailbox, 1, entry)

    async def forget(self, key: ConversationKey) -> None:
        keys = mailbox_keys(key, self.partitions)
        await self.client.delete(keys.mailbox, keys.lease, keys.attempts)
        await self.client.zrem(keys.agenda, str(key))

    async def positions(self, key: ConversationKey) -> list[int]:
        raw = await self.client.lrange(mailbox_keys(key, self.partitions).mailbox, 0, -1)
        return [Envelope.model_validate_json(entry).position for entry in raw]

    async def token(self, key: ConversationKey) -> Any:
        found: Any = await self.client.hget(mailbox_keys(key, self.partitions).lease, "token")
        return found


@pytest.mark.parametrize("server", ["real", "fake"])
def test_a_mailbox_keeps_its_word_whatever_workers_do(server: str, settings: Settings) -> None:
    fake = FakeServer()

    def connect() -> Redis:
        return make_redis(settings) if server == "real" else FakeAsyncRedis(server=fake)

    run_state_machine_as_test(
        lambda: MailboxMachine(connect, settings),  # type: ignore[arg-type]  # any factory will do
        settings=hypothesis_settings(
            max_examples=50,
            derandomize=True,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
