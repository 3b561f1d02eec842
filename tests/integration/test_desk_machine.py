"""Drive the desk's state machine as people, customers, the bot and a release before do, on a real PostgreSQL.

The model is what docs/desk.md says in a table; it shares nothing with `move_conversation`. After every step the row is
as the model has it, and at the end the history tells how it came to be.
"""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from runtime.database import Database
from schema.settings import Settings

PEOPLE = ("dana", "sam")
BOSS = "vera"
HOLDERS = (*PEOPLE, BOSS)

people = st.sampled_from(HOLDERS)


class DeskMachine(RuleBasedStateMachine):
    """One conversation, and what anybody may do with it."""

    def __init__(self, product: Settings, tenant: str) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.database = Database(product)
        self.tenant = tenant
        self.conversation = uuid.uuid4().hex[:12]
        self.runner.run(self.database.open())
        self.state = "bot"
        self.owner = "bot"
        self.holder: str | None = None
        self.lapsed = False
        self.snoozed = False
        self.acts = 0
        self.messages = 0
        self.tickets = 0
        self.open_tickets = 0

    @initialize()
    def begin(self) -> None:
        """Let the customer write first."""
        self.write()

    # What comes from outside of the desk

    @rule()
    def write(self) -> None:
        """Let the customer write: what is resolved is the bot's again, what is snoozed wakes up."""
        self.messages += 1
        self.read(
            "accept_message",
            message_id=uuid.uuid4().hex,
            channel="chat",
            payload="sealed",
            sender_key=None,
            waiting_max=1_000,
        )
        if self.state == "resolved" or self.snoozed:
            self.acts += 1
            self.state = "bot" if self.state == "resolved" else self.state
            self.snoozed = False

    @rule()
    def escalate(self) -> None:
        """Let the bot open a ticket."""
        self.tickets += 1
        self.open_tickets += 1
        self.acts += 1
        self.read(
            "open_ticket",
            ticket_id=f"T-{self.conversation}-{self.tickets}",
            sender_key=None,
            category="abuse",
            priority="high",
            answer_by=datetime.now(UTC) + timedelta(hours=1),
        )
        self.snoozed = False
        if self.state != "human":
            self.state = "waiting"

    @rule(owner=st.sampled_from(("bot", "human")))
    def change_owner_as_the_release_before(self, owner: str) -> None:
        """Move it by its owner alone, as the release before does, which names nobody."""
        self.query(
            "UPDATE conversation SET owner = %s, version = version + 1, context = context - 'quote'"
            " WHERE conversation_id = %s AND owner <> %s RETURNING version",
            owner,
            self.conversation,
            owner,
        )
        if owner == self.owner:
            return
        self.acts += 1
        self.owner, self.holder, self.snoozed, self.lapsed = owner, None, False, False
        self.state = "waiting" if owner == "human" else "bot"

    @rule()
    def let_the_claim_run_out(self) -> None:
        """Let the lease's time pass."""
        self.query(
            "UPDATE conversation SET claimed_until = now() - interval '1 s' WHERE conversation_id = %s"
            " AND claimed_by IS NOT NULL RETURNING 1",
            self.conversation,
        )
        self.lapsed = self.holder is not None

    # What people do

    @rule(who=people)
    def claim(self, who: str) -> None:
        outcome = self.act("claim", who)
        if self.state in {"bot", "resolved"}:
            assert outcome == "state"
        elif self.holder == who:
            assert outcome == "kept"
            self.lapsed = False
        elif self.holder is not None and not self.lapsed:
            assert outcome == "held"
        else:
            assert outcome == "done"
            self.give_to(who)

    @rule(who=people)
    def take_over(self, who: str) -> None:
        outcome = self.act("take_over", who)
        if self.holder == who:
            assert outcome == "kept"
            self.lapsed = False
        elif self.holder is not None and not self.lapsed and who != BOSS:
            assert outcome == "held"
        else:
            assert outcome == "done"
            self.give_to(who)

    @rule(who=people, to=st.sampled_from((*HOLDERS, None)))
    def reassign(self, who: str, to: str | None) -> None:
        outcome = self.act("reassign", who, to_person=to)
        if self.state in {"bot", "resolved"}:
            assert outcome == "state"
        elif not self.may_move(who):
            assert outcome == "held"
        else:
            assert outcome == "done"
            if to is None:
                self.acts += 1
                self.state, self.holder, self.lapsed, self.snoozed = "waiting", None, False, False
            else:
                renewed = to != self.holder or who == to
                was_lapsed = self.lapsed
                self.give_to(to)
                self.lapsed = was_lapsed and not renewed

    @rule(who=people, act=st.sampled_from(("reply", "snooze", "renew")))
    def do_as_holder(self, who: str, act: str) -> None:
        until = datetime.now(UTC) + timedelta(hours=2)
        outcome = self.act(act, who, until=until)
        if self.holder != who:
            assert outcome == ("unheld" if self.holder is None else "held")
            return
        assert outcome == ("kept" if act == "renew" else "done")
        self.lapsed = False
        if act != "renew":
            self.acts += 1
            self.snoozed = act == "snooze"

    @rule(who=people)
    def note(self, who: str) -> None:
        assert self.act("note", who) == "done"
        self.acts += 1
        if self.holder == who:
            self.lapsed = False

    @rule(who=people, act=st.sampled_from(("resolve", "hand_back")))
    def end(self, who: str, act: str) -> None:
        outcome = self.act(act, who)
        forbidden = {"resolved"} if act == "resolve" else {"bot", "resolved"}
        if self.state in forbidden:
            assert outcome == "state"
        elif not self.may_move(who):
            assert outcome == "held"
        else:
            assert outcome == "done"
            self.acts += 1
            self.open_tickets = 0
            self.state = "resolved" if act == "resolve" else "bot"
            self.owner, self.holder, self.lapsed, self.snoozed = "bot", None, False, False

    @rule(who=people)
    def reopen(self, who: str) -> None:
        outcome = self.act("reopen", who, until=datetime.now(UTC) + timedelta(hours=1))
        assert outcome == ("done" if self.state == "resolved" else "state")
        if outcome == "done":
            self.acts += 1
            self.state = "waiting"
            [row] = self.query(
                "SELECT count(*) AS n FROM ticket WHERE conversation_id = %s AND closed_at IS NULL", self.conversation
            )
            self.open_tickets = row["n"]

    @rule()
    def look_at_the_clock(self) -> None:
        """Take back what ran out, as the loop does: to the queue, and never to the bot."""
        outcome = self.act("lapse", "clock")
        assert outcome == ("done" if self.lapsed else "state")
        if self.lapsed:
            self.acts += 1
            self.state, self.holder, self.lapsed, self.snoozed = "waiting", None, False, False

    # What holds after every step

    @invariant()
    def the_row_is_as_the_model_has_it(self) -> None:
        row = self.row()
        if row is None:
            return
        assert (row["desk_state"], row["owner"], row["claimed_by"]) == (self.state, self.owner, self.holder)
        assert row["desk_version"] == self.acts
        assert (row["snoozed_until"] is not None) == self.snoozed
        assert row["last_position"] == self.messages

    @invariant()
    def nobody_waits_where_nobody_is_called(self) -> None:
        row = self.row()
        if row is not None and row["desk_state"] in {"bot", "resolved"}:
            assert (row["answer_by"], row["claimed_by"], row["owner"]) == (None, None, "bot")

    def teardown(self) -> None:
        try:
            history = self.query(
                "SELECT number, from_state, to_state, from_person, to_person FROM desk_act"
                " WHERE conversation_id = %s ORDER BY number",
                self.conversation,
            )
            assert [act["number"] for act in history] == list(range(1, self.acts + 1))
            for before, after in pairwise(history):
                assert (before["to_state"], before["to_person"]) == (after["from_state"], after["from_person"])
            if history:
                assert (history[-1]["to_state"], history[-1]["to_person"]) == (self.state, self.holder)
                assert history[0]["from_state"] == "bot"
            open_now = self.query(
                "SELECT 1 FROM ticket WHERE conversation_id = %s AND closed_at IS NULL", self.conversation
            )
            assert len(open_now) == self.open_tickets
        finally:
            self.runner.run(self.database.close())
            self.runner.close()

    # How

    def may_move(self, who: str) -> bool:
        return self.holder is None or self.holder == who or self.lapsed or who == BOSS

    def give_to(self, who: str) -> None:
        self.acts += 1
        if who != self.holder:
            self.lapsed = False
        self.state, self.owner, self.holder, self.snoozed = "human", "human", who, False

    def act(self, act: str, who: str, **asked: Any) -> str:
        nothing = dict.fromkeys(("to_person", "desk_version", "position", "until", "reason", "note", "request_id"))
        [row] = self.read(
            "move_conversation",
            act=act,
            person=who,
            may_force=who == BOSS,
            lease_seconds=900,
            **{**nothing, **asked},
        )
        return str(row["moved"]["outcome"])

    def row(self) -> dict[str, Any] | None:
        rows = self.query("SELECT * FROM conversation WHERE conversation_id = %s", self.conversation)
        return rows[0] if rows else None

    def read(self, query: str, **parameters: Any) -> list[dict[str, Any]]:
        names = {"tenant": self.tenant, "conversation": self.conversation}
        return self.runner.run(self.database.read(self.tenant, query, **names, **parameters))

    def query(self, sql: str, *parameters: Any) -> list[dict[str, Any]]:
        async def run() -> list[dict[str, Any]]:
            async with self.database.transaction(self.tenant) as transaction:
                cursor = await transaction.connection.execute(sql.encode(), parameters)
                return await cursor.fetchall()

        return self.runner.run(run())


def test_the_desk_is_as_its_table_says_whatever_anybody_does(settings: Settings, tenant: str) -> None:
    run_state_machine_as_test(
        lambda: DeskMachine(settings, tenant),  # type: ignore[arg-type]  # any factory will do
        settings=hypothesis_settings(
            max_examples=40,
            derandomize=True,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
