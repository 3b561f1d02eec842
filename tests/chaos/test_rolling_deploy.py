"""Roll out the next release under load, back, and out again: workers and gateways of two releases side by side."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from ops.database.migrate import migrate
from ops.lab.chaos.approval_faults import approval_desk
from ops.lab.chaos.audit import read_log
from ops.lab.chaos.faults import Fault
from ops.lab.chaos.load import TENANT
from ops.lab.chaos.run import ChaosOptions, FaultResult, chaos_on
from ops.verify import Finding, Verification
from runtime.configuration import load_settings, open_sealer
from runtime.database import Database, connect
from runtime.encoding import parse_json
from runtime.redis import make_redis
from schema.channels import CHANNELS
from schema.keys import replies_stream
from schema.resources import load_script
from tests.architecture.contracting import find_breaches, unanswered
from tests.architecture.test_resources import header
from tests.chaos.next_release import (
    CONTRACT,
    NextSender,
    Releases,
    change,
    expand_migration,
    make_releases,
    next_sender,
    run_migrate,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from ops.lab.chaos.crew import ForkedCrew
    from ops.lab.chaos.scene import Scene
    from schema.settings import Settings

OPTIONS = ChaosOptions(workers=2, conversations=20, turns=4, messages_per_second=5, model_latency_ms="50..200")
PHASE_TURNS = 6
"""How many turns a release commits in each phase of the deployment, at least."""
PHASE_SECONDS_MAX = 60.0
NEWER_MESSAGES = 3
"""Messages in a version that this release does not read."""

pytestmark = pytest.mark.timeout(300)  # a fixture does it all; on a machine that has something else to do as well

SCRIPTS = ("append", "acquire", "acknowledge", "release", "sweep", "publish")
"""Those that are run in any deployment."""

NEVER_LOGGED = (
    "turn.failed_bug",
    "loop.failed",
    "loop.ended",
    "watchdog.silence",
    "mailbox.mended",
    "mailbox.damaged",
    "mailbox.undecodable",
)
SCRIPT_ERRORS = (b"user_script", b"NOSCRIPT")
"""What Redis says when a script is wrong, or unknown to it and to whoever ran it."""


@dataclass
class Deployment:
    """Hold a deployment while it goes on, and what came of it."""

    releases: Releases
    next: ForkedCrew
    opened: AsyncExitStack
    """What outlives the deployment: messages are still under way at its end."""
    sender: NextSender = field(init=False)
    crews: tuple[ForkedCrew, ...] = ()
    applied: list[list[str]] = field(default_factory=list)
    """What each `fte migrate` applied: of the next release, of this one on the way back, of the one after the next."""
    left: int = 0
    """How often this release's workers left a message to the next one's."""
    exits: list[int] = field(default_factory=list)
    """How the workers ended that were told to."""

    async def roll_out(self, scene: Scene) -> None:
        """Roll out while refunds that this release's workers asked for wait for a yes, which the next one's take up."""
        async with approval_desk(scene) as customers:
            await customers.ask()
            await self._roll_out(scene)
            await customers.approve_all()
            customers.hold_to(await customers.wait_until_settled(), ("applied",))

    async def _roll_out(self, scene: Scene) -> None:
        """Deploy the next release half, go back, deploy it whole, and let the one after it contract."""
        this = scene.crew
        self.crews = (this, self.next)
        await self._expand(scene)
        await _start(self.next)
        await scene.kill(this.workers[0])
        await _until_committed(scene, this, self.next)

        await self._stop(self.next)
        back = await asyncio.to_thread(migrate, scene.settings.database_url or "", open_sealer(scene.settings))
        self.applied.append(list(back.applied))
        await _until_committed(scene, this)

        await _start(self.next)
        await self._stop(this)
        await scene.kill(self.next.workers[0])
        await _until_committed(scene, self.next)

        self.applied.append(await run_migrate(scene.settings, self.releases.after))
        await _until_committed(scene, self.next)

    async def _expand(self, scene: Scene) -> None:
        """Migrate, and let the next release's gateway send before there is a worker of it."""
        self.applied.append(await run_migrate(scene.settings, self.releases.next))
        sender = next_sender(scene.settings, self.releases.next, newer_max=NEWER_MESSAGES)
        self.sender = await self.opened.enter_async_context(sender)
        scene.gateway.senders.append(self.sender.send)

        def is_left() -> bool:
            self.left = scene.crew.logged("message.newer_release", {})
            return self.left >= NEWER_MESSAGES

        await _until(scene, is_left, "this release leaves what it must not read")

    async def _stop(self, crew: ForkedCrew) -> None:
        """Tell a release's workers to stop, one by one."""
        await crew.wait_ready()
        for slot in crew.workers:
            self.exits.append(await slot.dismiss())


async def _start(crew: ForkedCrew) -> None:
    crew.fill()
    await crew.wait_ready()


async def _until_committed(scene: Scene, *crews: ForkedCrew) -> None:
    """Wait until each crew has committed its turns of this phase."""
    marks = {slot.log: slot.log.stat().st_size for crew in crews for slot in crew.workers}

    def has_committed() -> bool:
        return all(crew.logged("turn.committed", marks) >= PHASE_TURNS for crew in crews)

    await _until(scene, has_committed, f"{PHASE_TURNS} turns of each release that is at work")


async def _until(scene: Scene, condition: Callable[[], bool], promise: str) -> None:
    assert await scene.until(condition, PHASE_SECONDS_MAX), f"not within {PHASE_SECONDS_MAX:.0f} s: {promise}"


@dataclass(frozen=True)
class Outcome:
    """Hold what there is to see of a deployment when it is over."""

    deployment: Deployment
    row: FaultResult
    accepted_by: dict[str, int]
    """Message → which sender handed it in: 0, this release's; 1, the next one's."""
    committed_by: dict[str, str]
    """Message → the release whose worker committed its turn."""
    told: bytes
    """All that workers of both releases logged."""
    killed: list[int]
    """How many workers of each release were killed."""
    replies: list[dict[str, Any]]
    scripts: dict[str, list[bool]]
    """Script → whether Redis knows this release's, and the next one's."""
    findings: list[Finding]


@pytest.fixture(scope="module")
async def outcome(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Outcome]:
    """Roll out the next release once; the tests look at what came of it."""
    folder = tmp_path_factory.mktemp("rolling")
    releases = make_releases(folder)
    settings = load_settings(lease_seconds=2, renew_seconds=0.5)
    async with chaos_on(settings, folder, OPTIONS, beside=releases.next) as chaos, AsyncExitStack() as opened:
        assert chaos.beside is not None
        deployment = Deployment(releases, chaos.beside, opened)
        fault = Fault("R1", "the next release is rolled out, and back", deployment.roll_out, None, keeps_sending=True)
        row = await chaos.run(fault)
        yield await _look_at(deployment, row, chaos.settings, folder)


async def _look_at(deployment: Deployment, row: FaultResult, settings: Settings, folder: Path) -> Outcome:
    slots = [slot for crew in deployment.crews for slot in crew.workers]
    with connect(settings.database_url or "") as connection:
        turns = connection.execute("SELECT unnest(message_ids) AS message_id, release FROM turn").fetchall()
    database, redis = Database(settings), make_redis(settings)
    await database.open()
    try:
        entries: Any = [await redis.xrange(replies_stream(TENANT, channel)) for channel in CHANNELS]
        return Outcome(
            deployment,
            row,
            {line["message_id"]: line["by"] for line in read_log(folder / "ledger.jsonl")},
            {turn["message_id"]: turn["release"] for turn in turns},
            b"".join(slot.log.read_bytes() for slot in slots),
            [crew.deaths for crew in deployment.crews],
            [parse_json(fields[b"body"]) for stream in entries for _, fields in stream],
            {name: await redis.script_exists(*_hashes(name, deployment.releases)) for name in SCRIPTS},
            (await Verification(settings, database, redis).run()).findings,
        )
    finally:
        await database.close()
        await redis.aclose()


def _hashes(script: str, releases: Releases) -> list[str]:
    texts = [load_script(script), (releases.next / "schema" / "scripts" / f"{script}.lua").read_text()]
    return [hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest() for text in texts]


def test_while_two_releases_are_at_work_nothing_is_lost_doubled_out_of_order_or_done_twice(outcome: Outcome) -> None:
    findings = outcome.row.findings

    assert outcome.row.broken == ()
    assert findings.messages > 5 * PHASE_TURNS
    assert findings.changes > 0
    assert (findings.dead, outcome.findings) == (0, [])


def test_workers_of_each_release_answer_what_gateways_of_either_accepted(outcome: Outcome) -> None:
    ways = Counter((by, outcome.committed_by[message]) for message, by in outcome.accepted_by.items())

    assert set(ways) == {(0, "this"), (0, "next"), (1, "this"), (1, "next")}
    assert {reply.get("written_by") for reply in outcome.replies} == {None, "next"}


def test_no_worker_meets_anything_of_the_other_release_that_it_fails_at(outcome: Outcome) -> None:
    assert {event: outcome.told.count(b'"%s"' % event.encode()) for event in NEVER_LOGGED} == dict.fromkeys(
        NEVER_LOGGED, 0
    )
    assert [error for error in SCRIPT_ERRORS if error in outcome.told] == []


def test_a_message_that_only_the_next_release_reads_waits_for_its_workers(outcome: Outcome) -> None:
    newer = outcome.deployment.sender.newer

    assert outcome.deployment.left >= NEWER_MESSAGES == len(newer)
    assert {outcome.committed_by[message] for message in newer} == {"next"}


def test_each_release_runs_its_own_scripts(outcome: Outcome) -> None:
    assert outcome.scripts == {name: [True, True] for name in SCRIPTS}


def test_a_release_migrates_before_its_workers_and_on_the_way_back_nothing_is_undone(outcome: Outcome) -> None:
    releases = outcome.deployment.releases

    assert outcome.deployment.applied == [[releases.expand], [], [releases.contract]]


def test_a_worker_that_is_told_to_stop_ends_well_and_two_were_killed(outcome: Outcome) -> None:
    assert outcome.deployment.exits == [0] * 2 * OPTIONS.workers
    assert outcome.killed == [1, 1]


def test_the_migrations_of_the_next_releases_expand_and_then_contract() -> None:
    assert find_breaches(expand_migration()) == []
    assert [breach.answer for breach in find_breaches(CONTRACT)] == ["Contracts", "Contracts"]
    assert unanswered(CONTRACT, header(CONTRACT)) == []


@pytest.mark.parametrize("text", ["", "one, and one more"], ids=["nowhere", "twice"])
def test_a_next_release_is_not_made_of_edits_that_miss(text: str) -> None:
    with pytest.raises(LookupError, match="'one' stands there"):
        change(text, "one", "two", "a.py")
