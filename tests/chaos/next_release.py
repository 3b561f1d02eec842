"""Make the release after this one: a copy of the sources that writes more, with other scripts and one more migration.

What it changes is what a release may change at once: fields that its writers fill and older readers pass over, in
messages and in what workers hand to each other; a column that its statements use, with a function that takes it from
an older worker's call as well; every script. It also reads version 2 of messages, which this release must not.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import sys
from collections import deque
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from ops.standalone.standalone import SOURCES, worker_environment
from runtime.cancelling import cancel_and_wait
from runtime.encoding import dump_json, parse_json
from schema.messages.receipt import Receipt
from schema.resources import load_migrations

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from schema.messages.inbound import Inbound
    from schema.settings import Settings

PACKAGES = ("schema", "runtime", "producer", "worker", "ops")
MESSAGES = "schema/messages"
COMMIT, CONTEXT = "worker/pipeline/commit.py", "worker/conversation/context.py"


class Edit(NamedTuple):
    """Say what stands in a file of this release, and what in the next one's."""

    path: str
    old: str
    new: str


EDITS = (
    # Messages: a field more in each, written by whoever writes them, and a version more that is read.
    Edit(f"{MESSAGES}/wire.py", "\nVERSION = 1\n", "\nVERSION = 2\n"),
    Edit(f"{MESSAGES}/wire.py", "    version: Literal[1] = 1\n", "    version: Literal[1, 2] = 1\n"),
    Edit(
        f"{MESSAGES}/inbound.py",
        "    sent_at: AwareDatetime | None = Field(",
        "    handed_in_at: AwareDatetime | None = None\n    sent_at: AwareDatetime | None = Field(",
    ),
    Edit(
        f"{MESSAGES}/envelope.py",
        '    payload: str = Field(max_length=PAYLOAD_CHARACTERS_MAX, description="an `Inbound` as JSON, sealed")\n',
        '    payload: str = Field(max_length=PAYLOAD_CHARACTERS_MAX)\n    written_by: str = "next"\n',
    ),
    Edit(
        f"{MESSAGES}/reply.py",
        "    in_reply_to: list[MessageId] = Field(",
        "    written_by: str | None = None\n    in_reply_to: list[MessageId] = Field(",
    ),
    Edit(
        f"{MESSAGES}/event.py",
        "    name: AnyEventName\n",
        "    name: AnyEventName\n    written_by: str | None = None\n",
    ),
    Edit(
        "producer/sending/client.py",
        "            return SealedMessage(\n",
        '            inbound = inbound.model_copy(update={"handed_in_at": datetime.now(UTC)})\n'
        "            return SealedMessage(\n",
    ),
    Edit(
        COMMIT,
        "                recipient=message.inbound.sender,\n",
        '                recipient=message.inbound.sender,\n                written_by="next",\n',
    ),
    Edit(COMMIT, "attributes=attributes, **shared)", 'attributes=attributes, written_by="next", **shared)'),
    # What a worker leaves in PostgreSQL for whoever takes the conversation, or the turn, up.
    Edit(
        CONTEXT, "    passenger_name: str | None = None\n", '    passenger_name: str | None = None\n    by: str = ""\n'
    ),
    Edit(CONTEXT, "    made_in_turn: int\n    expires_at", '    made_in_turn: int\n    by: str = ""\n    expires_at'),
    Edit(COMMIT, '.context.model_dump(mode="json")),', '.context.model_dump(mode="json") | {"by": "next"}),'),
    Edit(
        "worker/domains/airline/tools/quoting.py",
        "        kind=kind,\n        details",
        '        kind=kind,\n        by="next",\n        details',
    ),
    Edit("worker/journal/tool_calls.py", "    output: str\n", '    output: str\n    by: str = ""\n'),
    Edit("worker/journal/tool_calls.py", "        output=output,\n", '        output=output,\n        by="next",\n'),
    # The database: a column that is written with each turn, and one that is read before it.
    Edit(COMMIT, '        "started_at": clock', '        "release": "next",\n        "started_at": clock'),
    Edit(
        "schema/queries/pipeline/hydrate_conversation.sql",
        "    context_with_key(c.tenant_id, c.conversation_id, c.context)",
        "    c.last_release, context_with_key(c.tenant_id, c.conversation_id, c.context)",
    ),
    # Scripts: an argument more, at the end, which its own workers give.
    Edit(
        "worker/mailbox/mailbox.py",
        "[str(key), lease.token, self._lease_ms, self._ahead_ms]",
        '[str(key), lease.token, self._lease_ms, self._ahead_ms, "next"]',
    ),
    Edit("schema/scripts/acquire.lua", "'until', deadline)", "'until', deadline, 'release', ARGV[5] or '')"),
)

EXPAND = """-- Which release committed a turn.

ALTER TABLE turn ADD COLUMN release text;  -- null: the one that did not say so
ALTER TABLE conversation ADD COLUMN last_release text;

{commit_turn}
"""
COMMIT_TURN = (
    ("model_calls, tool_calls, verdicts)", "model_calls, tool_calls, verdicts, release)"),
    ("coalesce(t.tool_calls, '[]'), t.verdicts", "coalesce(t.tool_calls, '[]'), t.verdicts, t.release"),
    ("tool_calls jsonb, verdicts jsonb)", "tool_calls jsonb, verdicts jsonb, release text)"),
    (
        "updated_at = clock_timestamp()",
        "updated_at = clock_timestamp(), last_release = coalesce(p_turn ->> 'release', c.last_release)",
    ),
)
CONTRACT = """-- Every turn says which release committed it.
-- Contracts: nobody commits a turn that does not, or moves a passenger with seven arguments, since the next release.

UPDATE turn SET release = 'this' WHERE release IS NULL;
ALTER TABLE turn ALTER COLUMN release SET NOT NULL;
DROP FUNCTION move_to_seat(bigint, smallint, text, date, text, text, integer);
"""


class Releases(NamedTuple):
    """Say where the sources of the next release stand, those of the one after it, and what their migrations are called.

    The one after it only contracts, once this release is gone.
    """

    next: Path
    after: Path
    expand: str
    contract: str


def make_releases(folder: Path) -> Releases:
    """Make the next release and the one after it in a folder. Raises LookupError when an edit finds nothing."""
    newest = load_migrations()[-1].number
    expand, contract = f"{newest + 1:04d}_note_releases", f"{newest + 2:04d}_forget_this_release"
    releases = Releases(folder / "next", folder / "after", expand, contract)
    for package in PACKAGES:
        shutil.copytree(SOURCES / package, releases.next / package)
    for path, old, new in EDITS:
        file = releases.next / path
        file.write_text(change(file.read_text(), old, new, path))
    for script in (releases.next / "schema" / "scripts").iterdir():
        script.write_text(f"-- Of the next release.\n{script.read_text()}")
    migrations = "schema/migrations"
    (releases.next / migrations / f"{expand}.sql").write_text(expand_migration())
    shutil.copytree(releases.next, releases.after)
    (releases.after / migrations / f"{contract}.sql").write_text(CONTRACT)
    return releases


def expand_migration() -> str:
    """Write the migration of the next release: `commit_turn` as it is, and a column more."""
    pattern = re.compile(r"^CREATE (?:OR REPLACE )?(FUNCTION commit_turn\(.*?^END \$\$;)", re.DOTALL | re.MULTILINE)
    definitions = [found[1] for migration in load_migrations() for found in pattern.finditer(migration.sql)]
    if not definitions:
        raise LookupError("no migration defines commit_turn")
    commit_turn = f"CREATE OR REPLACE {definitions[-1]}"
    for old, new in COMMIT_TURN:
        commit_turn = change(commit_turn, old, new, "commit_turn")
    return EXPAND.format(commit_turn=commit_turn)


def change(text: str, old: str, new: str, place: str) -> str:
    """Replace what stands once in a text; raises LookupError when it stands there more often, or not at all."""
    if text.count(old) != 1:
        raise LookupError(f"{place}: {old!r} stands there {text.count(old)} times; mend the edit in {__name__}")
    return text.replace(old, new)


async def run_migrate(settings: Settings, sources: Path) -> list[str]:
    """Run a release's `fte migrate`, and give what it applied."""
    process = await _start_fte(settings, sources, "migrate", "--json", told=asyncio.subprocess.PIPE)
    output, told = await process.communicate()
    assert process.returncode == 0, told.decode()
    applied: list[str] = parse_json(output.splitlines()[-1])["applied"]
    return applied


class NextSender:
    """Send by `fte send` of the next release; the first `newer_max` messages in version 2."""

    def __init__(self, process: asyncio.subprocess.Process, newer_max: int) -> None:
        self.newer: list[str] = []
        """The ids of the messages of version 2."""
        self._process = process
        self._newer_max = newer_max
        self._waiting: deque[asyncio.Future[Receipt]] = deque()

    async def send(self, inbound: Inbound) -> dict[str, Any]:
        """Hand a message in, as `ops.lab.chaos.gateway` wants it done."""
        assert self._process.stdin is not None
        said = inbound.model_dump(mode="json", exclude_none=True)
        if len(self.newer) < self._newer_max:
            self.newer.append(inbound.message_id)
            said["version"] = 2
        receipt: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        self._waiting.append(receipt)
        self._process.stdin.write(dump_json(said).encode() + b"\n")
        answer = await receipt
        return {"receipt": {"position": answer.position, "status": answer.status}}

    async def listen(self) -> None:
        """Take receipts in the order in which messages were handed in; whoever waits when they end is told."""
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self._waiting.popleft().set_result(Receipt.model_validate_json(line))
        for receipt in self._waiting:
            receipt.set_exception(RuntimeError("the next release's `fte send` has ended"))


@asynccontextmanager
async def next_sender(settings: Settings, sources: Path, *, newer_max: int) -> AsyncIterator[NextSender]:
    """Run the next release's `fte send` for the length of the block."""
    process = await _start_fte(settings, sources, "send", "-", "--json", told=None)
    sender = NextSender(process, newer_max)
    listening = asyncio.create_task(sender.listen())
    try:
        yield sender
    finally:
        process.kill()
        await process.wait()
        await cancel_and_wait(listening)


async def _start_fte(
    settings: Settings, sources: Path, *arguments: str, told: int | None
) -> asyncio.subprocess.Process:
    servers = {"FTE_DATABASE_URL": settings.database_url or "", "FTE_REDIS_URL": settings.redis_url or ""}
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "ops.cli.main", *arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=told,
        env=worker_environment(settings, sources) | servers,
    )
