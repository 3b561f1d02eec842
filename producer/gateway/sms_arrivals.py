"""Take a text message whose request has proven to be the provider's: as a message to be answered, or as a command."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import structlog

from producer.channels.reply_budget import QUICK_SECONDS, is_telling, limits_of_texts
from producer.channels.sms.keywords import Command, read_command
from producer.channels.sms.requests import text_of, write_inbound
from producer.gateway.answer_judge import AnswerJudge
from schema.ids import ConversationKey

if TYPE_CHECKING:
    from producer.channels.reply_budget import CountKind
    from producer.channels.sms.requests import TextMessage
    from producer.sending.client import AsyncProducer
    from runtime.channel_accounts import ChannelAccount
    from runtime.database import Database, Transaction
    from runtime.sealing import Sealer
    from schema.settings.answers import SmsAnswerSettings

MORE_SECONDS_MAX: Final = 86_400
"""How long the rest of a reply waits for MORE."""

Taken = Literal["accepted", "known", Command]
"""What became of a message: it will be answered, it had been taken before, or it was a command."""

_log = structlog.get_logger("fte.gateway.sms")


@dataclass(frozen=True)
class _Arrival:
    """A text message with what is known of its customer."""

    account: ChannelAccount
    message: TextMessage
    sender_key: str
    conversation: str

    @property
    def own_addresses(self) -> list[str]:
        """Return what an opt-out may hold for: the messaging service, and the number."""
        return [each for each in (self.message.own_group, self.message.own_address) if each]

    @property
    def names(self) -> dict[str, Any]:
        return {"tenant": self.account.tenant, "sender_key": self.sender_key}


class SmsArrivals:
    """Takes text messages of one deployment, each once by the provider's id."""

    def __init__(
        self, database: Database, producer: AsyncProducer, sealer: Sealer, settings: SmsAnswerSettings
    ) -> None:
        self._database = database
        self._producer = producer
        self._answers = AnswerJudge(database, sealer, producer.sender_keys, limits_of_texts(settings))

    async def take(self, account: ChannelAccount, message: TextMessage) -> Taken:
        """Take one message; when this returns it is in the inbox, or its command is carried out.

        Raises what `AsyncProducer.send` raises.
        """
        senders = self._producer.sender_keys
        conversation = "sms-" + senders.conversation_of(account.tenant, "sms", message.own_address, message.sender)
        sender_key = senders.key_of(account.tenant, "sms", message.sender)
        arrival = _Arrival(account, message, sender_key, conversation)
        [met] = await self._database.read(
            account.tenant,
            "find_arrival",
            message_id=message.message_sid,
            conversation=conversation,
            channel="sms",
            own_addresses=arrival.own_addresses,
            since_seconds=MORE_SECONDS_MAX,
            quick_seconds=QUICK_SECONDS,
            **arrival.names,
        )
        if met["is_known"]:  # nothing that was sent again is read in the light of what came since
            return "known"
        command = read_command(
            message.text,
            message.opt_out,
            is_suppressed=met["is_suppressed"],
            has_more=met["has_more"] and not message.media,
        )
        if command is None:
            await self._accept(arrival, await self._judge(arrival, is_quick=met["is_quick"]))
            return "accepted"
        return await self._obey(arrival, command)

    async def _judge(self, arrival: _Arrival, *, is_quick: bool) -> str | None:
        """Return why a message is not to be answered; None: it is.

        People repeat short words, such as yes; a machine does right after each reply.
        """
        key, text = ConversationKey(arrival.account.tenant, arrival.conversation), text_of(arrival.message)
        counted: dict[CountKind, str] = {"sender": arrival.sender_key}
        if is_quick or is_telling(text):
            counted["text"] = self._answers.under_words(key.tenant, arrival.sender_key, text)
        return await self._answers.judge(key, text, counted)

    async def _accept(self, arrival: _Arrival, unanswered: str | None) -> None:
        """Note the way back and accept the message; the way back first, for a reply may come at once."""
        await self._database.read(
            arrival.account.tenant,
            "note_conversation_route",
            conversation=arrival.conversation,
            account_id=arrival.account.account_id,
            own_address=arrival.message.own_address,
            own_group=arrival.message.own_group,
            **arrival.names,
        )
        await self._producer.send(
            write_inbound(arrival.message, arrival.account.tenant, arrival.conversation, unanswered=unanswered)
        )

    async def _obey(self, arrival: _Arrival, command: Command) -> Taken:
        """Record a command, once, and do what it says; the provider itself answers STOP, START and HELP."""
        own = arrival.own_addresses[0]
        async with self._database.transaction(arrival.account.tenant) as transaction:
            recorded = await transaction.run(
                "add_channel_command",
                message_id=arrival.message.message_sid,
                account_id=arrival.account.account_id,
                own_address=own,
                command=command,
                **arrival.names,
            )
            if not recorded:
                return "known"
            if command == "stop":
                await transaction.run(
                    "suppress_sender", channel="sms", own_address=own, reason="keyword", **arrival.names
                )
            elif command == "start":
                addresses = arrival.own_addresses
                await transaction.run(
                    "lift_suppression", channel="sms", own_addresses=addresses, reason="keyword", **arrival.names
                )
            elif command == "more":
                await _release(transaction, arrival)
        _log.info("sms.command", tenant=arrival.account.tenant, conversation=arrival.conversation, command=command)
        return command


async def _release(transaction: Transaction, arrival: _Arrival) -> None:
    """Let the next batch of the newest reply go out."""
    names = {"tenant": arrival.account.tenant, "conversation": arrival.conversation, "channel": "sms"}
    await transaction.run("lock_reply_conversation", **names)
    held = await transaction.run(
        "find_held_parts", conversation=arrival.conversation, since_seconds=MORE_SECONDS_MAX, **arrival.names
    )
    for row in held:
        await transaction.run("release_held_parts", tenant=arrival.account.tenant, reply_id=row["reply_id"])
    await transaction.run("free_replies", **names)
