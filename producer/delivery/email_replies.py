"""Send replies by e-mail: composed once, and handed to the account's relay until it has taken them."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from producer.channels.email.composing import AnsweredMail, ComposedMail, OwnMailbox, Unmailable, compose_mail
from producer.channels.email.reports import DEAD_ADDRESS
from producer.channels.email.threads import hash_of_message_id
from producer.channels.email.tokens import MailTokens, reference_of
from producer.delivery.mail_relay import Relay, RelayEndpoint
from producer.delivery.reply_channel import ComposedPart, SendOutcome
from producer.delivery.schedule import RetrySchedule
from runtime.encoding import dump_json, parse_json
from runtime.sealing import OWN_MARK
from runtime.tenants import Tenants
from schema.ids import ConversationKey

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from producer.delivery.reply_channel import OutgoingPart, ReplyRoute
    from producer.delivery.reply_deliverer import ChannelParts, OpenChannel
    from runtime.channel_accounts import ChannelAccount
    from schema.channels import Channel
    from schema.messages.reply import Reply
    from schema.settings.mail_delivery import MailDeliverySettings

SCHEDULE: Final = RetrySchedule(
    (30.0, 120.0, 300.0, 600.0, 1_200.0, 1_800.0, 3_600.0, 3_600.0, 7_200.0, 7_200.0), timedelta(hours=8)
)
"""Minutes first, for greylisting; a support answer that is half a day late is better told by a person."""


class EmailReplies:
    """The channel of e-mail: `producer.delivery.reply_channel.ReplyChannel`."""

    name: Channel = "email"
    schedule = SCHEDULE

    def __init__(self, parts: ChannelParts, settings: MailDeliverySettings, brand: str, tls: ssl.SSLContext) -> None:
        """Take the brand of tenants that have none of their own, and what certificates are verified with."""
        self.send_seconds_max = settings.mail_seconds_max
        self._parts = parts
        self._brand = brand
        self._tls = tls
        self._tenants = Tenants(parts.database)
        self._relays: dict[tuple[str, str], Relay] = {}

    async def compose(self, reply: Reply, route: ReplyRoute) -> Sequence[ComposedPart]:
        """Compose the mail of a reply, and note its Message-ID, so that an answer to it finds the conversation.

        Raises ValueError for a reply that no mail can be made of.
        """
        key = ConversationKey(route.account.tenant, route.conversation)
        mailbox = OwnMailbox(await self._brand_of(key.tenant), route.own_address, self._tokens_of(route.account))
        answered = await self._answered(key, reply)
        try:
            mail = compose_mail(reply, key, mailbox, answered, is_from_human=reply.by_person)
        except Unmailable as error:
            raise ValueError(str(error)) from None
        await self._parts.database.read(
            key.tenant,
            "note_mail",
            tenant=key.tenant,
            message_id=reply.reply_id,
            conversation=key.conversation,
            direction="out",
            reference=reference_of(key),
            id_hash=hash_of_message_id(mail.message_id),
            head=None,
        )
        return [ComposedPart(_write_part(mail))]

    async def send(self, part: OutgoingPart, route: ReplyRoute) -> SendOutcome:
        """Hand the mail to the account's relay."""
        endpoint = endpoint_of(route.account)
        if endpoint is None:
            return SendOutcome("stopped", reason="the account has no relay; set relay_host")
        return await self._relay_of(route.account, endpoint).send(_read_part(part.content), self.send_seconds_max)

    async def resolve(self, part: OutgoingPart, route: ReplyRoute) -> SendOutcome:  # noqa: ARG002 - nothing to look at
        """Return that the mail is to be sent again: a relay cannot be asked what it has taken.

        The same bytes under the same Message-ID go out, which mailboxes show once.
        """
        return SendOutcome("absent")

    def read_failure(self, code: str, attempts: int) -> SendOutcome:  # noqa: ARG002 - nothing is sent twice that bounced
        """Tell what a bounce or a complaint asks for: whoever complains, or has no such address, is written no more."""
        if code == "complaint":
            return SendOutcome("suppressed", code=code, reason="the customer's mail system reported it as unwanted")
        if code in DEAD_ADDRESS:
            return SendOutcome("suppressed", code=code, reason=f"it came back: {code}, there is no such address")
        return SendOutcome("failed", code=code, reason=f"it came back: {code}")

    async def close(self) -> None:
        """End the connections to all relays."""
        await asyncio.gather(*(relay.close() for relay in self._relays.values()))

    async def _brand_of(self, tenant: str) -> str:
        view = await self._tenants.view(tenant)
        return view.settings.brand or self._brand

    async def _answered(self, key: ConversationKey, reply: Reply) -> AnsweredMail:
        """Return what is known of the newest mail that a reply answers."""
        rows = await self._parts.database.read(
            key.tenant,
            "find_mail_heads",
            tenant=key.tenant,
            conversation=key.conversation,
            message_ids=reply.in_reply_to,
        )
        # One whose key is gone was noted while its conversation was erased: without it the reply begins a thread.
        heads = {row["message_id"]: row["head"] for row in rows if not row["head"].startswith(OWN_MARK)}
        for message_id in reversed(reply.in_reply_to):
            if message_id in heads:
                return AnsweredMail(**parse_json(self._parts.sealer.open(heads[message_id])))
        return AnsweredMail()

    def _tokens_of(self, account: ChannelAccount) -> MailTokens:
        return MailTokens.of_account(self._parts.senders, account.tenant, account.account_id)

    def _relay_of(self, account: ChannelAccount, endpoint: RelayEndpoint) -> Relay:
        """Return the account's relay; one whose settings have changed is replaced, and its connections run out."""
        handle = (account.tenant, account.account_id)
        relay = self._relays.get(handle)
        if relay is None or relay.endpoint != endpoint:
            relay = self._relays[handle] = Relay(endpoint, self._tls)
        return relay


def endpoint_of(account: ChannelAccount) -> RelayEndpoint | None:
    """Return where an account's mail is handed in; None where it only receives."""
    settings = account.settings
    if settings.relay_host is None:
        return None
    return RelayEndpoint(
        host=settings.relay_host,
        port=settings.relay_port,
        security=settings.relay_security,
        our_name=settings.domain,
        user=settings.relay_user,
        password=account.secrets.relay_password,
    )


def open_email(settings: MailDeliverySettings, brand: str) -> OpenChannel:
    """Return what opens the way to the relays of all accounts; `brand` is of tenants that have none of their own.

    Certificates are verified with the system's authorities.
    """

    @asynccontextmanager
    async def opening(parts: ChannelParts) -> AsyncIterator[EmailReplies]:
        channel = EmailReplies(parts, settings, brand, ssl.create_default_context())
        try:
            yield channel
        finally:
            await channel.close()

    return opening


def _write_part(mail: ComposedMail) -> str:
    written: dict[str, Any] = {
        "message_id": mail.message_id,
        "sender": mail.sender,
        "recipient": mail.recipient,
        "content": mail.content.decode("ascii"),
    }
    return dump_json(written)


def _read_part(content: str) -> ComposedMail:
    written = parse_json(content)
    return ComposedMail(
        written["message_id"], written["sender"], written["recipient"], written["content"].encode("ascii")
    )
