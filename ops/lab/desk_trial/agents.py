"""One process of the desk with several simulated people, which is killed at will: `ops.lab.desk_trial.agents`.

What each person means to do is written to a ledger before it is done, and what came of it after: one JSON line each.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Annotated, Any, Final, TextIO

import typer

from ops.desk import acts
from ops.desk.desk import Desk, DeskState, HeldByAnother, NotClaimed, SeenIsStale, StateForbids, state_of
from ops.desk.inbox import list_inbox
from ops.desk.replying import LastSeen, reply
from ops.desk.roles import Who
from ops.desk.takeover import UnknownConversation
from runtime.configuration import load_settings, open_sealer
from runtime.database import Database
from runtime.encoding import dump_json
from runtime.outage import POSTGRESQL_AWAY, is_redis_away
from runtime.redis import Scripts, make_redis
from runtime.telemetry.logs import configure_logs
from runtime.tenants import Tenants
from schema.ids import ConversationKey

if TYPE_CHECKING:
    from ops.desk.acts import ActDone

REFUSALS: Final = (HeldByAnother, NotClaimed, SeenIsStale, StateForbids, UnknownConversation)
REPLIES_MAX: Final = 3

TAKES_FROM_BOT: Final = 0.4
"""How often a person takes over whatever the bot speaks in, instead of claiming what waits."""

TAKES_NEWEST: Final = 0.7
"""How often a person claims what began to wait last."""

LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)

ENDS: Final = {"hand_back": 0.45, "resolve": 0.3, "snooze": 0.1, "reassign": 0.1, "walk_away": 0.05}
"""How often a person ends their part in a way; of who walks away the claim lapses."""

_LETTERS = str.maketrans("0123456789", "ghijklmnop")
"""Thirteen digits in a row may be a card number, which no reply may hold."""


@dataclass
class SimulatedPerson:
    """A person at the desk: looks for work, claims, answers, and gives back or resolves."""

    desk: Desk
    who: Who
    tenant: str
    conversations: int
    random: Random
    ledger: TextIO

    async def work(self) -> None:
        """Work until the process is killed; a server that is away is waited for."""
        while True:
            try:
                await self._take_one()
            except REFUSALS as error:
                self._note("refused", "", reason=type(error).__name__)
            except Exception as error:
                if not (isinstance(error, (OSError, *POSTGRESQL_AWAY)) or is_redis_away(error)):
                    raise
            await self._pause(0.4)

    async def _take_one(self) -> None:
        key = await self._choose()
        if key is None:
            return
        take = acts.take_over if self.random.random() < TAKES_FROM_BOT else acts.claim
        done: ActDone = await take(self.desk, self.who, key)
        self._note("claimed", key.conversation, withdrawn=done.withdrawn, version=done.state.desk_version)
        for _ in range(self.random.randint(0, REPLIES_MAX)):
            await self._pause(0.6)
            await self._answer(key)
        await self._pause(0.3)
        await self._let_go(key)

    async def _choose(self) -> ConversationKey | None:
        """Choose what waits, often what has just begun to: then the bot's last words may not have left."""
        if self.random.random() < TAKES_FROM_BOT:
            return ConversationKey(self.tenant, f"trial-{self.random.randrange(self.conversations)}")
        page = await list_inbox(self.desk, self.tenant, self.who, "unassigned", limit=200)
        if not page.rows:
            return None
        # Of a claim that lapsed after its person had answered, nobody waits.
        newest = max(page.rows, key=lambda row: row["waiting_since"] or LONG_AGO)
        row = newest if self.random.random() < TAKES_NEWEST else self.random.choice(page.rows)
        return ConversationKey(self.tenant, row["conversation_id"])

    async def _answer(self, key: ConversationKey) -> None:
        state = await self._look(key)
        request = uuid.uuid4().hex.translate(_LETTERS)
        self._note("replying", key.conversation, request=request)
        for _ in range(REPLIES_MAX):  # the customer may go on writing: what is new is read, and it is sent again
            try:
                seen = LastSeen(state.desk_version, state.last_position)
                sent = await reply(self.desk, self.who, key, f"by hand {request}", seen=seen, request_id=request)
            except SeenIsStale as error:
                state = error.state
            else:
                self._note("replied", key.conversation, request=request, sequence=sent.sequence)
                return

    async def _let_go(self, key: ConversationKey) -> None:
        [end] = self.random.choices(list(ENDS), list(ENDS.values()))
        if end == "hand_back":
            await acts.hand_back(self.desk, self.who, key, line="settled by hand")
        elif end == "resolve":
            await acts.resolve(self.desk, self.who, key, reason="settled")
        elif end == "snooze":
            await acts.snooze(self.desk, self.who, key, until=datetime.now(UTC) + timedelta(seconds=5))
        elif end == "reassign":
            await acts.reassign(self.desk, self.who, key, reason="somebody else's")

    async def _look(self, key: ConversationKey) -> DeskState:
        [row] = await self.desk.database.read(key.tenant, "read_desk_conversation", **key._asdict())
        return state_of(row["desk"])

    async def _pause(self, seconds: float) -> None:
        await asyncio.sleep(self.random.uniform(0.2, 1.8) * seconds)

    def _note(self, what: str, conversation: str, **more: Any) -> None:
        fact = {"at": time.time(), "who": self.who.name, "what": what, "conversation": conversation, **more}
        print(dump_json(fact), file=self.ledger, flush=True)


async def run_people(tenant: str, names: list[str], conversations: int, seed: int, path: Path) -> None:
    """Let people work until the process ends."""
    settings = load_settings(log_level="error")
    configure_logs(settings)
    database, redis = Database(settings), make_redis(settings)
    await database.open()
    desk = Desk(database, Scripts(redis), open_sealer(settings), Tenants(database))
    with path.open("a", encoding="utf-8") as ledger:
        people = [
            SimulatedPerson(desk, Who(name), tenant, conversations, Random(f"{seed} {name}"), ledger)  # noqa: S311 - a trial
            for name in names
        ]
        await asyncio.gather(*(person.work() for person in people))


def main(
    tenant: Annotated[str, typer.Argument()],
    names: Annotated[str, typer.Argument()],
    conversations: Annotated[int, typer.Argument()],
    seed: Annotated[int, typer.Argument()],
    ledger: Annotated[Path, typer.Argument()],
) -> None:
    """Run the people whose names are given, separated by commas."""
    asyncio.run(run_people(tenant, names.split(","), conversations, seed, ledger))


if __name__ == "__main__":
    typer.run(main)
