"""Hand in mails by LMTP while workers and the mail door are killed, and audit what became of each.

`python -m ops.lab.mail_storm`: servers, workers and a door of its own; a mail server that keeps each mail until it has
a 250, and hands the next of a conversation in only then. The audit shares no code with what it judges: it computes the
ids of messages from the mails by docs/channels.md, and reads PostgreSQL and what a consumer of the stream got.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import signal
import smtplib
import socket
import tempfile
import time
from collections import Counter, defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.console import Console

from ops.desk.channels import AccountDesk
from ops.embedded import WorkerSupervisor
from ops.lab.sandbox_parts import free_port
from ops.standalone.standalone import fte_command, run_everything, worker_environment
from producer.collecting.following import AsyncFollower
from runtime.cancelling import cancel_and_wait
from runtime.configuration import load_settings, open_sealer
from runtime.database import Database, connect
from schema.keys import replies_stream
from schema.messages.reply import Reply

if TYPE_CHECKING:
    from ops.standalone.standalone import Crew
    from schema.settings import Settings

TENANT: Final = "default"
MAILBOX: Final = "support@storm.example"
DOMAIN: Final = "storm.example"

SILENCE_SECONDS_MAX: Final = 60.0
"""How long to wait for the next answer before the rest counts as lost."""
RETRY_SECONDS_MAX: Final = 300.0
"""How long the mail server tries one mail."""
_BUDGET: Final = 1_000_000
_SHOWN_MAX: Final = 5


@dataclass(frozen=True)
class StormMail:
    """One mail of the storm."""

    sender: str
    text: str
    raw: bytes
    message_id: str
    """Under which it must be accepted: SHA-256 of its Message-ID, sender and body."""


@dataclass
class StormFindings:
    """What became of the mails; the first four are zero in a product that keeps its promises."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    out_of_order: list[str] = field(default_factory=list)
    astray: list[str] = field(default_factory=list)
    """Mails of one thread in two conversations, or of two in one."""
    mails: int = 0
    attempts: int = 0
    kills: int = 0
    seconds: float = 0.0

    @property
    def is_good(self) -> bool:
        """Check whether every promise was kept."""
        return not (self.lost or self.doubled or self.out_of_order or self.astray)


def main(
    mails: Annotated[int, typer.Option(min=1, help="Mails in all.")] = 1_000,
    conversations: Annotated[int, typer.Option(min=1, help="Threads that they are of.")] = 50,
    kills: Annotated[int, typer.Option(min=0, help="Processes killed meanwhile, workers and the door in turn.")] = 20,
    seed: Annotated[int, typer.Option(help="Of what is drawn.")] = 1,
) -> None:
    """Storm a stack of its own, print what became of the mails, and end with 1 when a promise was broken."""
    console = Console()
    with tempfile.TemporaryDirectory(prefix="fte-mail-storm-") as folder:
        findings = storm(Path(folder), mails=mails, conversations=conversations, kills=kills, seed=seed)
    for name in ("lost", "doubled", "out_of_order", "astray"):
        for line in getattr(findings, name)[:_SHOWN_MAX]:
            console.print(f"{name}: {line}")
    console.print(
        f"{findings.mails} mails in {findings.attempts} attempts, {findings.kills} processes killed, "
        f"{findings.seconds:.0f} s: {len(findings.lost)} lost, {len(findings.doubled)} twice, "
        f"{len(findings.out_of_order)} out of order, {len(findings.astray)} astray"
    )
    raise typer.Exit(int(not findings.is_good))


def storm(folder: Path, *, mails: int, conversations: int, kills: int, seed: int) -> StormFindings:
    """Run a storm on servers and processes in a folder, and return what became of the mails."""
    budget = {
        f"mail_{name}_max": _BUDGET
        for name in ("sender_hour", "sender_day", "conversation_hour", "conversation_day", "domain_day", "repeats_hour")
    }
    listen = f"127.0.0.1:{free_port(0)}"
    settings = load_settings(
        state_dir=folder / "state", model="stub", lease_seconds=2, renew_seconds=0.5, mail_door_listen=listen, **budget
    )
    with run_everything(settings, workers=2, say=lambda _: None) as (here, crew):
        door = WorkerSupervisor(
            fte_command("receive", "email"),
            count=1,
            state_dir=here.state_dir,
            env=worker_environment(here),
            name="receive-email",
        )
        with door:
            return asyncio.run(_storm(here, crew, door, _Plan(mails, conversations, kills, Random(seed))))  # noqa: S311


def write_threads(mails: int, conversations: int) -> list[list[StormMail]]:
    """Write the mails of each thread in the order of sending; each but the first names the one before it."""
    threads: list[list[StormMail]] = [[] for _ in range(conversations)]
    for number in range(mails):
        thread, place = number % conversations, number // conversations
        threads[thread].append(_write_mail(thread, place))
    return [thread for thread in threads if thread]


def _write_mail(thread: int, place: int) -> StormMail:
    sender = f"customer{thread}@thread{thread}.example"
    named = f"{place}.{thread}@thread{thread}.example"
    text = f"Question {place} of thread {thread}: how much is a bag on my flight?"
    head = [
        f"From: Customer {thread} <{sender}>",
        f"To: {MAILBOX}",
        f"Subject: Thread {thread}",
        f"Message-ID: <{named}>",
    ]
    if place:
        head.append(f"In-Reply-To: <{place - 1}.{thread}@thread{thread}.example>")
    body = f"{text}\r\n".encode()
    hashed = hashlib.sha256(b"".join(part.encode() + b"\0" for part in ("mail", named, sender)) + body)
    return StormMail(sender, text, "\r\n".join(head).encode() + b"\r\n\r\n" + body, hashed.hexdigest())


@dataclass(frozen=True)
class _Plan:
    mails: int
    conversations: int
    kills: int
    random: Random


async def _storm(settings: Settings, crew: Crew, door: WorkerSupervisor, plan: _Plan) -> StormFindings:
    began = time.monotonic()
    findings = StormFindings(mails=plan.mails)
    await _connect_mailbox(settings)
    threads = write_threads(plan.mails, plan.conversations)
    replies: list[Reply] = []
    async with AsyncFollower(settings, [replies_stream(TENANT, "email")]) as follower:
        following = asyncio.create_task(_follow(follower, replies))
        killing = asyncio.create_task(_kill(crew, door, plan, findings))
        async with asyncio.TaskGroup() as sending:
            for thread in threads:
                sending.create_task(_send_thread(settings.mail_door_listen, thread, findings))
        await killing
        await _until_answered(replies, plan.mails)
        await cancel_and_wait(following)
    findings.seconds = time.monotonic() - began
    _audit(settings, threads, replies, findings)
    return findings


async def _connect_mailbox(settings: Settings) -> None:
    database = Database(settings)
    await database.open()
    try:
        desk = AccountDesk(database, open_sealer(settings), TENANT)
        await desk.add("email", {"addresses": [MAILBOX], "domain": DOMAIN}, {})
    finally:
        await database.close()


async def _send_thread(where: str, thread: list[StormMail], findings: StormFindings) -> None:
    """Hand the mails of a thread in, each once the one before it has its 250, as a mail server keeps trying."""
    for mail in thread:
        deadline = time.monotonic() + RETRY_SECONDS_MAX
        while True:
            findings.attempts += 1
            if await asyncio.to_thread(_deliver, where, mail):
                break
            if time.monotonic() > deadline:
                raise TimeoutError(f"the door did not take a mail within {RETRY_SECONDS_MAX:g} s")
            await asyncio.sleep(0.2)


def _deliver(where: str, mail: StormMail) -> bool:
    """Hand one mail in; returns whether it was taken. Whatever else happens, it is to be tried again."""
    host, _, port = where.rpartition(":")
    with suppress(OSError, smtplib.SMTPException), smtplib.LMTP(host, int(port), timeout=20) as client:
        client.sendmail(mail.sender, MAILBOX, mail.raw)
        return True
    return False


async def _kill(crew: Crew, door: WorkerSupervisor, plan: _Plan, findings: StormFindings) -> None:
    """Kill the door and workers in turn, at random moments."""
    for number in range(plan.kills):
        await asyncio.sleep(plan.random.uniform(0.3, 1.5))
        pids = door.pids if number % 2 else crew.pids
        if pids:
            with suppress(ProcessLookupError):
                os.kill(plan.random.choice(pids), signal.SIGKILL)
                findings.kills += 1


async def _follow(follower: AsyncFollower, replies: list[Reply]) -> None:
    async for entry in follower:
        replies += [entry.body] if isinstance(entry.body, Reply) else []


async def _until_answered(replies: list[Reply], mails: int) -> None:
    answered, news = 0, time.monotonic()
    while time.monotonic() < news + SILENCE_SECONDS_MAX:
        found = len({message for reply in replies for message in reply.in_reply_to})
        if found >= mails:
            await asyncio.sleep(1)  # for second answers
            return
        if found > answered:
            answered, news = found, time.monotonic()
        await asyncio.sleep(0.1)


def _audit(settings: Settings, threads: list[list[StormMail]], replies: list[Reply], findings: StormFindings) -> None:
    """Compare the mails with the inbox's rows and the replies."""
    with connect(settings.database_url or "") as connection:
        connection.execute("SELECT set_config('fte.tenant', %s, false)", [TENANT])
        rows: list[Any] = connection.execute(
            "SELECT message_id, conversation_id, position FROM inbox WHERE tenant_id = %s", [TENANT]
        ).fetchall()
    place = {row["message_id"]: (row["conversation_id"], row["position"]) for row in rows}
    unique = {reply.reply_id: reply for reply in replies}  # a stream may hold an entry twice; consumers go by its id
    answers = Counter(message for reply in unique.values() for message in reply.in_reply_to)
    known = {mail.message_id for thread in threads for mail in thread}
    findings.doubled += [f"{row['message_id']}: accepted besides" for row in rows if row["message_id"] not in known]
    owners: dict[str, int] = defaultdict(int)
    for thread in threads:
        positions = [place.get(mail.message_id) for mail in thread]
        for mail, found in zip(thread, positions, strict=True):
            if found is None or not answers[mail.message_id]:
                findings.lost.append(f"{mail.text}: {'not in the inbox' if found is None else 'not answered'}")
            if answers[mail.message_id] > 1:
                findings.doubled.append(f"{mail.text}: {answers[mail.message_id]} answers")
        held = [found for found in positions if found is not None]
        if [position for _, position in held] != sorted(position for _, position in held):
            findings.out_of_order.append(f"{thread[0].text}: accepted as {held}")
        names = {conversation for conversation, _ in held}
        if len(names) > 1:
            findings.astray.append(f"{thread[0].text}: in {len(names)} conversations")
        for name in names:
            owners[name] += 1
    findings.astray += [f"{name}: {count} threads in it" for name, count in owners.items() if count > 1]
    findings.out_of_order += _misplaced(list(unique.values()))


def _misplaced(replies: list[Reply]) -> list[str]:
    """List the conversations whose replies did not arrive in their order, without a gap."""
    sequences: dict[str, list[int]] = defaultdict(list)
    for reply in replies:
        sequences[reply.conversation].append(reply.sequence)
    return [f"{name}: replies {found}" for name, found in sequences.items() if found != list(range(1, len(found) + 1))]


if __name__ == "__main__":
    socket.setdefaulttimeout(30)
    typer.run(main)
