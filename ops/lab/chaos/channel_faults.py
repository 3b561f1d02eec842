"""Channel faults: a provider of text messages and a relay of mails that misbehave, and deliverers that are killed.

Replies of the load's text messages, or mails, go out by an account whose provider is a stand-in. What left is compared
with the outbox: each reply once, in order of its conversation, but for the one duplicate that is promised as possible.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import socket
import time
from collections import Counter, defaultdict
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlsplit

from ops.desk.channels import AccountDesk
from ops.lab.chaos.deliverers import let_deliverers_die, run_deliverer
from ops.lab.chaos.http_sender import with_login_of_its_own
from ops.lab.chaos.load import TENANT
from ops.lab.mail_server import MailServer, MailStep
from ops.lab.sms_provider import SmsProvider, serve_provider
from producer.gateway.process import serving
from runtime.configuration import open_sealer
from runtime.database import Database, connect

if TYPE_CHECKING:
    from collections.abc import Callable

    from ops.lab.chaos.scene import Scene
    from schema.channels import Channel

SENT_SECONDS_MAX: Final = 180.0
"""How long to wait for the last reply: what nobody tells of is sent again after a minute, and others wait behind it."""

POINTS: Final = ("delivery.begun@2", "delivery.sent@2", "delivery.begun", "delivery.sent")

NUMBER: Final = "+14155550199"
MAILBOX: Final = "support@chaos.example"

_SMS_STEPS: Final[tuple[dict[str, Any], ...]] = (
    {"do": "hang"},  # taken, and reported
    {"do": "cut"},
    {"do": "cut", "report": "nothing"},  # the list alone tells
    {"do": "lose"},
    {"do": "error", "status": 500, "code": 20500},
    {"do": "error", "status": 429, "code": 20429},
    {"do": "unlisted", "report": "nothing"},  # nothing tells of it
    {"do": "unlisted", "report": "nothing"},
)
_MAIL_STEPS: Final = (
    MailStep("recipient", "450 4.2.0 come back later"),
    MailStep("content", do="lose_answer"),
    MailStep("content", do="lose_answer"),
    MailStep("content", do="hang"),
    MailStep("sender", do="cut"),
)
_MAIL_SECONDS_MAX: Final = "5"

_ROUTES: Final = b"""
    INSERT INTO conversation_route (tenant_id, conversation_id, sender_key, account_id, own_address)
    SELECT DISTINCT tenant_id, conversation_id, sender_key, %(account)s, %(own)s FROM inbox
    WHERE tenant_id = %(tenant)s AND channel = %(channel)s AND starts_with(conversation_id, %(run)s)
    ON CONFLICT DO NOTHING
"""
_DUE: Final = b"""
    SELECT o.conversation_id, o.ordinal, o.entry_id, d.state, d.reason FROM outbox o
    JOIN conversation_route r ON r.tenant_id = o.tenant_id AND r.conversation_id = o.conversation_id
        AND r.account_id = %(account)s AND o.created_at >= r.since
    LEFT JOIN reply_delivery d ON d.tenant_id = o.tenant_id AND d.reply_id = o.entry_id
    WHERE o.tenant_id = %(tenant)s AND o.kind = 'reply' AND o.created_at <= to_timestamp(%(until)s)
    ORDER BY o.ordinal
"""


@dataclass(frozen=True)
class Departure:
    """A part of a reply as the provider took it, in the order of taking."""

    reply_id: str
    part: int
    digest: str
    """Of what was sent."""


async def trouble_a_provider(scene: Scene) -> None:
    """Send text messages by a provider that hangs, cuts, loses, refuses and keeps silent, while deliverers die."""
    provider = SmsProvider(account_sid="AC" + os.urandom(16).hex(), auth_token=os.urandom(16).hex())
    async with AsyncExitStack() as opened:
        folder = Path(opened.enter_context(TemporaryDirectory(prefix="fte-chaos-sms-")))
        port = await opened.enter_async_context(serve_provider(provider))
        listening = socket.create_server(("127.0.0.1", 0))
        await opened.enter_async_context(serving(with_login_of_its_own(scene.settings), listening))
        settings = {
            "account_sid": provider.account_sid,
            "numbers": [NUMBER],
            "public_url": f"http://127.0.0.1:{listening.getsockname()[1]}",
            "api_url": f"http://127.0.0.1:{port}",
            "segments_max": 100,
        }
        account = await _connect(scene, opened, "sms", settings, {"auth_token": provider.auth_token})
        opened.enter_context(run_deliverer(scene.settings, "sms", folder / "steady.log"))
        provider.steps.extend(_SMS_STEPS)
        scene.note()
        await let_deliverers_die(scene, "sms", folder / "mortal.log", POINTS)
        await _until_met(scene, provider.steps)
        silent = sum(step["do"] == "unlisted" for step in _SMS_STEPS)
        due = await _until_sent(scene, account, lambda: _texts(provider))
        _audit(scene, due, _texts(provider), repeats_max=silent, what="text messages")


async def trouble_a_relay(scene: Scene) -> None:
    """Send mails by a relay that refuses for a while, cuts, hangs and loses its answers, while deliverers die."""
    async with AsyncExitStack() as opened:
        folder = Path(opened.enter_context(TemporaryDirectory(prefix="fte-chaos-mail-")))
        server = await opened.enter_async_context(MailServer().listening())
        settings = {
            "addresses": [MAILBOX],
            "domain": MAILBOX.partition("@")[2],
            "relay_host": "127.0.0.1",
            "relay_port": server.port,
            "relay_security": "none",
        }
        account = await _connect(scene, opened, "email", settings, {})
        seconds = {"FTE_MAIL_SECONDS_MAX": _MAIL_SECONDS_MAX}
        opened.enter_context(run_deliverer(scene.settings, "email", folder / "steady.log", **seconds))
        server.steps.extend(_MAIL_STEPS)
        scene.note()
        deaths = await let_deliverers_die(scene, "email", folder / "mortal.log", POINTS, **seconds)
        await _until_met(scene, server.steps)
        lost = sum(step.do == "lose_answer" for step in _MAIL_STEPS)
        lost += sum(count for point, count in deaths.items() if point.startswith("delivery.sent"))
        due = await _until_sent(scene, account, lambda: _mails(server))
        _audit(scene, due, _mails(server), repeats_max=lost, what="mails")


async def _connect(
    scene: Scene, opened: AsyncExitStack, channel: Channel, settings: dict[str, Any], secrets: dict[str, str]
) -> str:
    """Connect an account, and let what the run's customers of the channel get from now on go out by it."""
    database = Database(scene.settings)
    await database.open()
    opened.push_async_callback(database.close)
    desk = AccountDesk(database, open_sealer(scene.settings), TENANT)
    account = await desk.add(channel, settings, secrets)
    opened.push_async_callback(desk.remove, account)
    own = NUMBER if channel == "sms" else MAILBOX
    named = {"tenant": TENANT, "account": account, "own": own, "channel": channel, "run": f"{scene.run}-"}
    await asyncio.to_thread(_run, scene, _ROUTES, named)
    return account


def _run(scene: Scene, statement: bytes, parameters: dict[str, Any]) -> list[dict[str, Any]]:
    with connect(scene.settings.database_url or "") as connection:
        done = connection.execute(statement, parameters)
        return done.fetchall() if done.description else []


async def _until_met(scene: Scene, steps: Any) -> None:
    """Wait until each fault has met a message."""
    if not await scene.until(lambda: not steps, SENT_SECONDS_MAX):
        scene.undone.append(f"{len(steps)} faults of the provider have met no message")


async def _until_sent(scene: Scene, account: str, departed: Callable[[], list[Departure]]) -> list[dict[str, Any]]:
    """Wait until every reply that is due by now has left; return them all."""
    named = {"tenant": TENANT, "account": account, "until": time.time()}
    deadline = time.monotonic() + SENT_SECONDS_MAX
    while True:
        due = await asyncio.to_thread(_run, scene, _DUE, named)
        gone = {each.reply_id for each in departed()}
        if all(row["state"] == "withheld" or (row["state"] == "sent" and row["entry_id"] in gone) for row in due):
            return due
        if time.monotonic() > deadline:
            return due
        await asyncio.sleep(1)


def _audit(scene: Scene, due: list[dict[str, Any]], departed: list[Departure], *, repeats_max: int, what: str) -> None:
    """Compare what left with what was due: nothing missing, nothing changed, in order, and no more repeats than may be.

    Withheld is what a person's takeover keeps back.
    """
    wanted = [row for row in due if row["state"] != "withheld"]
    gone = {each.reply_id for each in departed}
    missing = [row for row in wanted if row["entry_id"] not in gone or row["state"] != "sent"]
    scene.undone += [f"reply {row['entry_id']} has not left: {row['state']} {row['reason'] or ''}" for row in missing]
    contents: dict[tuple[str, int], set[str]] = defaultdict(set)
    for each in departed:
        contents[each.reply_id, each.part].add(each.digest)
    scene.undone += [f"reply {key[0]} left in {len(found)} forms" for key, found in contents.items() if len(found) > 1]
    place = {reply: number for number, reply in enumerate(dict.fromkeys(each.reply_id for each in departed))}
    order: dict[str, list[int]] = defaultdict(list)
    for row in wanted:
        order[row["conversation_id"]].append(place.get(row["entry_id"], -1))
    scene.undone += [f"replies of {name} left out of order" for name, found in order.items() if found != sorted(found)]
    repeats = sum(times - 1 for times in Counter((each.reply_id, each.part) for each in departed).values())
    if repeats > repeats_max:
        scene.undone.append(f"{repeats} {what} left twice, and {repeats_max} may have")
    if not wanted:
        scene.undone.append("no reply was due")
    scene.told.append(f"{len(departed)} {what} of {len(wanted)} replies left, {repeats} of them a second time")


def _texts(provider: SmsProvider) -> list[Departure]:
    sent = [each for each in provider.messages if each["direction"] == "outbound-api"]
    named = [(parse_qs(urlsplit(each["callback"]).query), each["body"]) for each in sent]
    return [Departure(query["reply"][0], int(query["part"][0]), _digest(body.encode())) for query, body in named]


def _mails(server: MailServer) -> list[Departure]:
    found = []
    for mail in list(server.mails):
        named = re.search(rb"(?mi)^Message-ID:\s*<([0-9a-f]{24})\.", mail.content)
        found.append(Departure(f"reply_{named[1].decode()}" if named else "", 1, _digest(mail.content)))
    return found


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
