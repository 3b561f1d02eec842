"""Play the sample conversations at once, through the product's real ways in and out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from ops.demo.checks import DemoCheck, SeatChange, check_card, check_seat, plan_seat_change
from ops.demo.conversations import SCRIPTS, SEAT_PLACEHOLDER, SampleConversation
from ops.demo.screen import Screen
from ops.desk.outbound import listening
from ops.desk.received import ReceivedEntries
from ops.verify.tally import LoadReport, ModelWork, Sent, Tally, is_kept
from producer.collecting.entries import StreamEntry
from producer.sending.client import AsyncProducer
from runtime.database import Database
from schema.keys import escalations_stream, events_stream, replies_stream
from schema.messages.escalation import Escalation
from schema.messages.inbound import Inbound
from schema.messages.reply import Reply
from schema.settings.sending import SendingSettings

TENANT = "default"
REPLY_SECONDS_MAX = 20.0
"""How long a customer waits for a reply before it counts as lost."""

ESCALATION_SECONDS_MAX = 5.0
"""How long an escalation may be published after the reply: they are published together."""

SETTLE_SECONDS = 0.3
"""How long the streams stay open after the last reply: a second answer to a message would come now."""

_CARD = "card"
_SEAT = "seat"


@dataclass(frozen=True)
class DemoResult:
    """The outcome of a demo: the report of its messages, and the checks."""

    report: LoadReport
    checks: list[DemoCheck]

    @property
    def is_good(self) -> bool:
        """Check whether nothing was lost, doubled or out of order, and every check passed."""
        return is_kept(self.report) and all(check.passed for check in self.checks)

    def __str__(self) -> str:
        """Return the totals as the demo's closing line."""
        report = self.report
        return (
            f"{len(SCRIPTS)} conversations, {report['messages']} messages, {report['replies']} replies, "
            f"{report['escalations']} escalations, {report['lost']} lost, {report['duplicated']} duplicated, "
            f"{report['out_of_order']} out of order"
        )


@dataclass
class Stage:
    """State of a running demo; lives on one event loop."""

    run: str
    producer: AsyncProducer
    screen: Screen
    words: Mapping[str, str]
    """Values of the placeholders in the scripts."""
    received: ReceivedEntries = field(default_factory=ReceivedEntries)
    tally: Tally = field(default_factory=Tally)
    published: list[str] = field(default_factory=list)
    """The bodies of this run's stream entries, as JSON."""

    def conversation(self, script: SampleConversation) -> str:
        """Return the name of a script's conversation in this run; no other run uses it."""
        return f"{self.run}-{script.name}"

    async def take(self, entry: StreamEntry) -> None:
        """Record an entry of this run; servers shared with others carry more."""
        if entry.conversation.startswith(self.run):
            self.published.append(entry.body.model_dump_json())
            if isinstance(entry.body, Reply):
                self.tally.take_reply(entry.body, time.time())
            self.tally.escalations += isinstance(entry.body, Escalation)
            await self.received.add(entry)


async def play(settings: SendingSettings, *, run: str, screen: Screen, logs: Sequence[Path]) -> DemoResult:
    """Play every script at once and return the outcome.

    `run` prefixes the names of this run's conversations. Raises NoSample, and what the servers raise.
    """
    database = Database(settings)
    await database.open()
    try:
        async with AsyncProducer(settings) as producer:
            planned = await plan_seat_change(database, TENANT, now=datetime.now(UTC))
            stage = Stage(run, producer, screen, {SEAT_PLACEHOLDER: planned.wanted})
            async with listening(settings, _streams(), stage.take):
                parts = await asyncio.gather(*(_play_one(stage, script) for script in SCRIPTS))
                await asyncio.sleep(SETTLE_SECONDS)
        checks = [check for found in parts for check in found]
        checks += await _inspect(database, stage, planned, logs)
        return DemoResult(stage.tally.report(ModelWork()), checks)
    finally:
        await database.close()


async def _play_one(stage: Stage, script: SampleConversation) -> list[DemoCheck]:
    """Play one conversation, and check the outcome that its script expects."""
    text = ""
    try:
        for place, template in enumerate(script.messages):
            answered = await _exchange(stage, script, place, _fill(template, stage.words))
            if answered is None:
                return [DemoCheck(f"{script.customer} has an answer after {REPLY_SECONDS_MAX:.0f} s", passed=False)]
            text = answered
        return await _judge(stage, script, text)
    finally:
        stage.screen.ended(script)


async def _exchange(stage: Stage, script: SampleConversation, place: int, text: str) -> str | None:
    """Send one message and wait for its reply; return the reply's text, or None when there is none in time."""
    inbound = Inbound(
        message_id=f"{stage.conversation(script)}-{place}",
        tenant=TENANT,
        conversation=stage.conversation(script),
        channel=script.channel,
        sender=script.sender,
        subject=script.subject,
        text=text,
    )
    stage.screen.asked(script, text)
    started = time.monotonic()
    stage.tally.sent[inbound.message_id] = Sent(inbound.conversation, place, time.time())
    await stage.producer.send(inbound)
    stage.tally.take_receipt(inbound.message_id)
    if script.sent_twice:
        await _send_again(stage, script, inbound)
    reply = await stage.received.wait(
        lambda: stage.received.reply_to(inbound.conversation, inbound.message_id), seconds_max=REPLY_SECONDS_MAX
    )
    if reply is None:
        stage.screen.noted(script, f"no reply after {REPLY_SECONDS_MAX:.0f} s", "bold red")
        return None
    stage.screen.answered(script, reply, stage.received.arrival(reply) - started)
    return reply.text


async def _send_again(stage: Stage, script: SampleConversation, inbound: Inbound) -> None:
    receipt = await stage.producer.send(inbound)
    stage.screen.noted(script, f"the gateway delivers it again: {receipt.status}")


async def _judge(stage: Stage, script: SampleConversation, text: str) -> list[DemoCheck]:
    """Check the outcome that a script expects."""
    checks = []
    for words in script.answer_holds:
        expected = _fill(words, stage.words)
        if expected not in text:
            checks.append(DemoCheck(f"{script.customer}'s last answer says {expected!r}", passed=False))
    if script.sent_twice:
        answers = sum(1 for reply in stage.received.replies if reply.conversation == stage.conversation(script))
        checks.append(DemoCheck(f"{script.customer}'s message, delivered twice, is answered once", answers == 1))
    if script.escalates:
        name = stage.conversation(script)
        escalation = await stage.received.wait(
            lambda: next((one for one in stage.received.escalations if one.conversation == name), None),
            seconds_max=ESCALATION_SECONDS_MAX,
        )
        if escalation is not None:
            stage.screen.escalated(script, escalation)
        checks.append(DemoCheck(f"{script.customer}'s conversation reached the human agents", escalation is not None))
    return checks


async def _inspect(database: Database, stage: Stage, planned: SeatChange, logs: Sequence[Path]) -> list[DemoCheck]:
    conversation = stage.conversation(next(script for script in SCRIPTS if script.name == _CARD))
    return [
        await check_seat(database, TENANT, planned),
        await check_card(database, TENANT, conversation, published=stage.published, logs=logs),
    ]


def _streams() -> list[str]:
    channels = sorted({script.channel for script in SCRIPTS})
    return [*(replies_stream(TENANT, name) for name in channels), escalations_stream(TENANT), events_stream(TENANT)]


def _fill(template: str, words: Mapping[str, str]) -> str:
    for placeholder, word in words.items():
        template = template.replace(placeholder, word)
    return template
