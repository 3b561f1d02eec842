"""Play dialogues through the real product: its servers and a worker on a scratch folder, a reply awaited per turn."""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, get_args

from ops.desk.outbound import listening
from ops.desk.received import ReceivedEntries, ends_in_silence
from ops.lab.evaluate.faq import as_dialogue
from ops.lab.evaluate.judging import Played, PlayedTurn, tools_in
from ops.lab.evaluate.records import settle
from ops.lab.evaluate.sets import CheckedConversation, Dialogue, LabelledSets
from ops.standalone.standalone import Say, run_everything
from producer.sending.client import AsyncProducer
from runtime.configuration import load_settings
from runtime.database import Database, connect
from schema.channels import Channel
from schema.keys import events_stream, replies_stream
from schema.messages.inbound import Inbound
from schema.settings.sending import SendingSettings

TENANT = "default"
CHANNEL: Final[Channel] = "chat"
REPLY_SECONDS_MAX = 30.0
"""How long a reply may take before the dialogue is given up."""

AT_ONCE_MAX = 40
"""Dialogues that are under way at once: of hundreds, all would be answered late on a busy machine."""

ITEMS_MAX = 1_000
BESIDE = "guardrail"
"""The part of a turn's tokens that is asked beside the agents, whatever it is made of."""
_NOT_TELLING = re.compile(r"[^0-9A-Za-z]")


@dataclass(frozen=True)
class PlayedSet:
    """A set's dialogues and questions as they went, and the replies of each of its conversations."""

    dialogues: tuple[Played, ...] = ()
    questions: tuple[Played, ...] = ()
    conversations: tuple[tuple[CheckedConversation, tuple[str, ...]], ...] = ()


def play_all(
    sets: Sequence[LabelledSets], *, say: Say, reply_seconds_max: float = REPLY_SECONDS_MAX, **changes: Any
) -> dict[str, PlayedSet]:
    """Play the dialogues and questions of every set at once, then its conversations; returns them by their set's name.

    The servers are embedded ones on a folder that is gone afterwards, whatever the settings point at; the model is the
    settings', unless `changes` (settings by name) say otherwise. Raises what starting raises, and TooFewBookings.
    """
    with tempfile.TemporaryDirectory(prefix="fte-evaluate-", ignore_cleanup_errors=True) as folder:
        settings = load_settings(**changes, state_dir=Path(folder) / "state")
        with run_everything(settings, workers=1, say=say) as (here, crew):
            roles = [(one.name, dialogue) for one in sets for dialogue in (*one.dialogues, *map(as_dialogue, one.faq))]
            talks = [(one.name, conversation) for one in sets for conversation in one.conversations]
            with connect(here.database_url or "") as connection:
                senders = settle(connection, TENANT, [dialogue for _, dialogue in roles])
            say(f"playing {len(roles)} dialogues and questions, and {len(talks)} conversations")
            played, said = asyncio.run(
                _play_all(here, list(zip(roles, senders, strict=True)), talks, crew.logs, reply_seconds_max)
            )
    found = {}
    for one in sets:
        ours = [played for (name, _), played in zip(roles, played, strict=True) if name == one.name]
        found[one.name] = PlayedSet(
            tuple(ours[: len(one.dialogues)]),
            tuple(ours[len(one.dialogues) :]),
            tuple((talk, replies) for (name, talk), replies in zip(talks, said, strict=True) if name == one.name),
        )
    return found


async def _play_all(
    settings: SendingSettings,
    roles: Sequence[tuple[tuple[str, Dialogue], str]],
    talks: Sequence[tuple[str, CheckedConversation]],
    logs: Sequence[Path],
    reply_seconds_max: float,
) -> tuple[list[Played], list[tuple[str, ...]]]:
    database = Database(settings)
    await database.open()
    try:
        async with AsyncProducer(settings) as producer:
            stage = _Stage(producer, database, ReceivedEntries(), logs, reply_seconds_max)
            streams = [events_stream(TENANT), *(replies_stream(TENANT, channel) for channel in get_args(Channel))]
            async with listening(settings, streams, stage.received.add):
                turnstile = asyncio.Semaphore(AT_ONCE_MAX)

                async def play(name: str, one: Dialogue, sender: str) -> Played:
                    async with turnstile:
                        return await stage.play(f"{name}-{one.id}", one, sender)

                played = await asyncio.gather(*(play(name, one, sender) for (name, one), sender in roles))
                # Conversations on one booking would meet each other's changes, so each is played by itself.
                said = [await stage.converse(f"{name}-{one.id}", one) for name, one in talks]
                return played, said
    finally:
        await database.close()


@dataclass(frozen=True)
class _Stage:
    """What every dialogue is played with."""

    producer: AsyncProducer
    database: Database
    received: ReceivedEntries
    logs: Sequence[Path]
    reply_seconds_max: float

    async def play(self, conversation: str, dialogue: Dialogue, sender: str) -> Played:
        """Say every line of a dialogue, each after the reply to the one before."""
        replies: list[str] = []
        for number, text in enumerate(dialogue.turns):
            reply = await self._exchange(conversation, f"{conversation}-{number}", sender, [text])
            if reply is None:
                break
            replies.append(reply)
        rows = await self.database.read(
            TENANT, "read_transcript", tenant=TENANT, conversation=conversation, items_max=ITEMS_MAX, rows_max=ITEMS_MAX
        )
        turns = _read_turns(dialogue, replies, rows[0]) if rows else ()
        leaks = await self._find_leaks(conversation, dialogue)
        if not rows:
            return Played(dialogue, turns, leaks)
        items = tuple(stored["item"] for stored in rows[0]["items"])
        return Played(dialogue, turns, leaks, items, frozenset(one["ticket_id"] for one in rows[0]["tickets"]))

    async def converse(self, name: str, conversation: CheckedConversation) -> tuple[str, ...]:
        """Say every turn of a conversation, a burst's messages one right after the other; gives the replies."""
        replies: list[str] = []
        for number, turn in enumerate(conversation.turns):
            texts = [turn] if isinstance(turn, str) else turn
            sender = f"{name}@example.com"
            reply = await self._exchange(name, f"{name}-{number}", sender, texts, conversation.channel)
            if reply is None:
                break
            replies.append(reply)
        return tuple(replies)

    async def _exchange(
        self, conversation: str, message_id: str, sender: str, texts: Sequence[str], channel: Channel = CHANNEL
    ) -> str | None:
        """Send messages in a row, the last under `message_id`, and give the reply to that one; "" where none is due."""
        silences = self._silences(conversation)
        for number, text in enumerate(texts, start=1 - len(texts)):
            await self.producer.send(
                Inbound(
                    message_id=f"{message_id}{number}" if number else message_id,
                    tenant=TENANT,
                    conversation=conversation,
                    channel=channel,
                    sender=sender,
                    text=text,
                )
            )

        def settled() -> str | None:
            reply = self.received.reply_to(conversation, message_id)
            if reply is not None:
                return reply.text
            return "" if self._silences(conversation) > silences else None

        return await self.received.wait(settled, seconds_max=self.reply_seconds_max)

    def _silences(self, conversation: str) -> int:
        return sum(event.conversation == conversation and ends_in_silence(event) for event in self.received.events)

    async def _find_leaks(self, conversation: str, dialogue: Dialogue) -> tuple[str, ...]:
        """Name the tables and logs in which a value that must be masked stands in the clear."""
        places: list[str] = []
        for value in dialogue.expect.pii_to_mask:
            letters = _NOT_TELLING.sub("", value)
            rows = await self.database.read(
                TENANT, "find_plain_text", tenant=TENANT, conversation=conversation, digits=letters
            )
            places += [str(row["place"]) for row in rows]
            places += [
                log.name for log in self.logs if letters in _NOT_TELLING.sub("", log.read_text("utf-8", "replace"))
            ]
        return tuple(dict.fromkeys(places))


def _read_turns(dialogue: Dialogue, replies: Sequence[str], row: dict[str, Any]) -> tuple[PlayedTurn, ...]:
    """Bring replies together with what was recorded of their turns; each turn answered one message."""
    tools = tools_in(row["items"])
    turns = []
    has_ticket = False
    for said, reply, turn in zip(dialogue.turns, replies, row["turns"], strict=False):
        has_ticket = has_ticket or turn["outcome"] == "escalated"
        turns.append(
            PlayedTurn(
                said=said,
                reply=reply,
                outcome=turn["outcome"],
                agent=turn["agent"],
                model_calls=sum(call.get("purpose", "agents") == "agents" for call in turn["model_calls"]),
                tools=tools.get(turn["number"], ()),
                abuse_tripped=any(one["guardrail"] == "abuse" and one["tripped"] for one in turn["verdicts"]),
                has_ticket=has_ticket,
                input_parts=_sum_parts(turn["model_calls"]),
            )
        )
    return tuple(turns)


def _sum_parts(calls: Sequence[dict[str, Any]]) -> dict[str, int]:
    """Sum up what a turn's requests were made of; what is asked beside the agents is a part of its own."""
    sums: Counter[str] = Counter()
    for call in calls:
        for part, tokens in call.get("input_parts", {}).items():
            sums[part if call.get("purpose", "agents") == "agents" else BESIDE] += tokens
    return dict(sums)
