"""Set up a tenant with a mailbox: the door that takes mails, a mail server before it and a worker behind."""

from __future__ import annotations

import asyncio
import json
import smtplib
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import TYPE_CHECKING, Any

from ops.desk.channels import AccountDesk
from producer.channels.email.tokens import MailTokens
from producer.gateway.mail_door import open_mail_door
from schema.ids import ConversationKey
from schema.keys import replies_stream
from tests.integration.http_gateway import fence

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from schema.settings import Settings
    from tests.integration.worker_harness import Harness

ADA = "ada@customer.example"
AUTHSERV = "mx.air.example"


def write_mail(text: str = "How much is a bag?", **fields: str) -> bytes:
    """Write a plain mail, as a mail server hands it over; a field may be given anew."""
    mail = EmailMessage()
    given = {"From": f"Ada <{ADA}>", "To": "support@air.example", "Subject": "A bag", "Message-ID": "<1@customer>"}
    for name, value in (given | {name.replace("_", "-"): value for name, value in fields.items()}).items():
        mail[name] = value
    mail.set_content(text)
    return mail.as_bytes().replace(b"\n", b"\r\n")


@dataclass
class MailScene:
    """A tenant whose mailbox is open."""

    harness: Harness
    account_id: str
    address: str
    where: str
    opened: dict[str, Any] = field(default_factory=dict)

    @property
    def tokens(self) -> MailTokens:
        return MailTokens.of_account(self.harness.service.servers.senders, self.harness.tenant, self.account_id)

    async def deliver(
        self, raw: bytes, *, sender: str = ADA, recipient: str | None = None, options: tuple[str, ...] = ()
    ) -> tuple[int, bytes]:
        """Hand a mail in by LMTP as a mail server does; returns the code and text of the last answer."""
        return await asyncio.to_thread(self._deliver, raw, sender, recipient or self.address, options)

    def _deliver(self, raw: bytes, sender: str, recipient: str, options: tuple[str, ...]) -> tuple[int, bytes]:
        host, _, port = self.where.rpartition(":")
        client = smtplib.LMTP(self.where) if self.where.startswith("/") else smtplib.LMTP(host, int(port))
        with client:
            client.ehlo_or_helo_if_needed()
            answer = client.mail(sender, options)
            if answer[0] == 250:
                answer = client.rcpt(recipient)
            return client.data(raw) if answer[0] == 250 else answer

    async def inbox(self) -> list[dict[str, Any]]:
        """Give what was accepted, opened, in the order of acceptance; also what `answer` has answered."""
        tenant = self.harness.tenant
        rows = await self.harness.query("SELECT * FROM inbox WHERE tenant_id = %s ORDER BY accepted_at", tenant)
        sealer = self.harness.service.servers.sealer
        for row in rows:
            if row["payload"]:  # it goes when the message is answered
                self.opened[row["message_id"]] = json.loads(sealer.open(row["payload"]))
        return [row | {"inbound": self.opened[row["message_id"]]} for row in rows]

    async def conversations(self) -> list[str]:
        rows = await self.harness.query(
            "SELECT conversation_id FROM conversation WHERE tenant_id = %s ORDER BY created_at", self.harness.tenant
        )
        return [row["conversation_id"] for row in rows]

    async def answer(self) -> None:
        """Let the worker answer whatever waits."""
        await self.inbox()
        for conversation in await self.conversations():
            await self.harness.drain(conversation)

    async def replies(self) -> list[dict[str, Any]]:
        stream = replies_stream(self.harness.tenant, "email")
        return [entry["body"] for entry in await self.harness.entries(stream)]

    def address_of(self, conversation: str) -> str:
        return self.tokens.address_for(self.address, ConversationKey(self.harness.tenant, conversation))


@asynccontextmanager
async def open_scene(harness: Harness, **changes: Any) -> AsyncIterator[MailScene]:
    """Add a mailbox to the harness's tenant, and open the door until the end of the block."""
    settings: Settings = fence(harness.settings).model_copy(update={"mail_door_listen": "127.0.0.1:0"} | changes)
    servers = harness.service.servers
    address = f"support@{harness.tenant}.example"
    desk = AccountDesk(servers.database, servers.sealer, harness.tenant)
    account_id = await desk.add(
        "email",
        {"addresses": [address], "domain": f"{harness.tenant}.example", "authserv_id": AUTHSERV},
        {},
    )
    async with open_mail_door(settings) as where:
        yield MailScene(harness, account_id, address, where)
