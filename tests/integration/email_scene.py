"""Set up a tenant with a mailbox whose relay is a server of ours, and let customers write to it."""

from __future__ import annotations

import asyncio
import email
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import policy
from email.message import EmailMessage

from ops.desk.channels import AccountDesk
from ops.lab.mail_server import MailServer, RelayedMail
from producer.channels.email.threads import hash_of_message_id
from producer.channels.email.tokens import MailTokens, reference_of
from producer.delivery.email_replies import open_email
from producer.delivery.reply_deliverer import ReplyDeliverer, open_reply_deliverer
from runtime.encoding import dump_json
from schema.settings import Settings
from tests.integration.reply_scene import WAIT_SECONDS_MAX, ReplyScene
from tests.integration.worker_harness import Harness

MAILBOX = "support@air.example"
CUSTOMER = "maya@example.org"


@dataclass
class MailboxScene(ReplyScene):
    """A tenant with a mailbox, and the server that takes what it sends."""

    server: MailServer = field(default_factory=MailServer)

    @property
    def tokens(self) -> MailTokens:
        return MailTokens.of_account(self.harness.service.servers.senders, self.harness.tenant, self.account_id)

    async def write(
        self, text: str, *, conversation: str = "c1", customer: str = CUSTOMER, subject: str = "Bags"
    ) -> str:
        """Let a customer write as the way in does: noted, routed and accepted; returns the mail's Message-ID."""
        message_id, rfc_id = uuid.uuid4().hex, f"<{uuid.uuid4().hex}@example.org>"
        key = self.harness.key(conversation)
        servers = self.harness.service.servers
        names = {"tenant": key.tenant, "conversation": key.conversation}
        head = dump_json({"message_id": rfc_id, "references": "<earlier@example.org>", "subject": subject})
        await self.harness.database.run_all(
            key.tenant,
            [
                (
                    "note_conversation_route",
                    {
                        **names,
                        "sender_key": servers.senders.key_of(key.tenant, "email", customer),
                        "account_id": self.account_id,
                        "own_address": MAILBOX,
                        "own_group": None,
                    },
                ),
                (
                    "note_mail",
                    {
                        **names,
                        "message_id": message_id,
                        "direction": "in",
                        "reference": reference_of(key),
                        "id_hash": hash_of_message_id(rfc_id),
                        "head": servers.sealer.seal(head),
                    },
                ),
            ],
        )
        await self.harness.accept(conversation, text, message_id=message_id, channel="email", sender=customer)
        return rfc_id

    async def answer(self, text: str, *, conversation: str = "c1", customer: str = CUSTOMER) -> str:
        """Let a customer write, and a worker answer; returns the Message-ID of what the customer wrote."""
        rfc_id = await self.write(text, conversation=conversation, customer=customer)
        await self.harness.drain(conversation)
        return rfc_id

    async def until_taken(self, count: int) -> list[RelayedMail]:
        """Wait until the relay has taken so many mails."""
        deadline = time.monotonic() + WAIT_SECONDS_MAX
        while len(self.server.mails) < count:
            assert time.monotonic() < deadline, (self.server.commands, await self.deliveries())
            await asyncio.sleep(0.05)
        return list(self.server.mails)

    def read(self, mail: RelayedMail) -> EmailMessage:
        return email.message_from_bytes(mail.content, policy=policy.default)

    def text_of(self, mail: RelayedMail) -> str:
        body = self.read(mail).get_body(("plain",))
        assert body is not None
        return str(body.get_content()).strip()

    @asynccontextmanager
    async def delivering(self, seconds_max: float = 5) -> AsyncIterator[ReplyDeliverer]:
        async with email_deliverer(self.settings, mail_seconds_max=seconds_max) as deliverer:
            yield deliverer


@asynccontextmanager
async def email_deliverer(settings: Settings, **changes: object) -> AsyncIterator[ReplyDeliverer]:
    """Deliver replies by e-mail in this process, until the end of the block."""
    changed = settings.model_copy(update=changes)
    opened = open_reply_deliverer(changed, open_email(changed, changed.brand), lambda now, _hours: now)
    async with opened as deliverer:
        yield deliverer


@asynccontextmanager
async def mail_scene(harness: Harness, settings: Settings, **account: object) -> AsyncIterator[MailboxScene]:
    """Run a server, and connect a mailbox of the harness's tenant to it."""
    async with MailServer().listening() as server:
        desk = AccountDesk(harness.database, harness.service.servers.sealer, harness.tenant)
        relay = {"relay_host": "127.0.0.1", "relay_port": server.port, "relay_security": "none"}
        account_id = await desk.add("email", {"addresses": [MAILBOX], "domain": "air.example", **relay, **account}, {})
        yield MailboxScene(harness, desk, account_id, settings, server)
        await desk.remove(account_id)
