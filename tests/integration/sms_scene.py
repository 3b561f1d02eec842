"""Set up a tenant with an SMS account: a stand-in for the provider, a gateway, a worker, and deliverers."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ops.desk.channels import AccountDesk
from ops.lab.sms_provider import SmsProvider, serve_provider
from producer.delivery.reply_deliverer import ReplyDeliverer, open_reply_deliverer
from producer.delivery.sms_replies import open_sms
from schema.settings import Settings
from tests.integration.http_gateway import Here, serve_here
from tests.integration.reply_scene import WAIT_SECONDS_MAX, DelivererProcess, ReplyScene
from tests.integration.worker_harness import Harness

OUR_NUMBER = "+14155550199"
CUSTOMER = "+14155550101"


@dataclass
class SmsScene(ReplyScene):
    """A tenant with an account whose provider is a stand-in, and a gateway that serves in this process."""

    provider: SmsProvider
    here: Here

    @property
    def webhook(self) -> str:
        return f"{self.here.url}/v1/channels/sms/{self.harness.tenant}/{self.account_id}"

    async def write(self, text: str, *, customer: str = CUSTOMER, **more: Any) -> dict[str, Any]:
        """Let a customer write; returns what the provider got for an answer."""
        given: dict[str, Any] = {"from": customer, "to": OUR_NUMBER, "text": text, "webhook": self.webhook, **more}
        return await self.provider.bring_in(given)

    async def answer(self, text: str, *, customer: str = CUSTOMER) -> None:
        """Let a customer write, and a worker answer."""
        answered = await self.write(text, customer=customer)
        assert answered["answered"] == 200, answered
        await self.harness.drain(self.conversation_of(customer))

    def conversation_of(self, customer: str = CUSTOMER) -> str:
        senders = self.harness.service.servers.senders
        return "sms-" + senders.conversation_of(self.harness.tenant, "sms", OUR_NUMBER, customer)

    def script(self, *steps: dict[str, Any]) -> None:
        """Set how the provider treats the messages to come."""
        self.provider.steps.clear()
        self.provider.steps.extend(steps)

    def sent(self, customer: str | None = None) -> list[dict[str, Any]]:
        """Return what the provider took from us, in order."""
        out = [each for each in self.provider.messages if each["direction"] == "outbound-api"]
        return [each for each in out if customer is None or each["to"] == customer]

    def texts(self, customer: str = CUSTOMER) -> list[str]:
        return [each["body"] for each in self.sent(customer)]

    async def until_sent(self, count: int, customer: str | None = None) -> list[dict[str, Any]]:
        """Wait until the provider has taken so many messages."""
        deadline = time.monotonic() + WAIT_SECONDS_MAX
        while len(found := self.sent(customer)) < count:
            assert time.monotonic() < deadline, (found, await self.deliveries())
            await asyncio.sleep(0.05)
        return found

    async def until_numbers(self, number: str) -> None:
        """Wait until the gateway knows a number of ours: its view is up to 5 s old."""
        deadline = time.monotonic() + WAIT_SECONDS_MAX
        while True:
            answered = await self.write("HELP", to=number, customer="+14155550777")
            if answered["answered"] == 200:
                return
            assert time.monotonic() < deadline, answered
            await asyncio.sleep(0.1)

    async def drain_all(self) -> None:
        """Let the worker answer every conversation."""
        rows = await self.harness.query(
            "SELECT conversation_id FROM conversation WHERE tenant_id = %s", self.harness.tenant
        )
        for row in rows:
            await self.harness.drain(row["conversation_id"])

    async def count(self, table: str) -> int:
        rows = await self.harness.query(
            f"SELECT count(*) AS found FROM {table} WHERE tenant_id = %s",  # noqa: S608 - a test's own table
            self.harness.tenant,
        )
        return int(rows[0]["found"])

    async def commands(self) -> list[str]:
        rows = await self.harness.query(
            "SELECT command FROM channel_command WHERE tenant_id = %s ORDER BY received_at", self.harness.tenant
        )
        return [row["command"] for row in rows]

    async def tickets(self) -> list[dict[str, Any]]:
        """Return the tickets that were opened, as consumers get them."""
        await self.harness.service.rescue.publish_leftovers(age_seconds=-60)
        return await self.harness.escalations()

    async def unpause(self) -> None:
        """Let the account send again at once, as if its pause were over."""
        await self.harness.query(
            "UPDATE channel_account SET paused_until = NULL WHERE tenant_id = %s RETURNING 1", self.harness.tenant
        )
        await self.make_due()

    async def push_until_sent(self, count: int) -> None:
        """Wait until so many replies are sent; what the dead had claimed, or perhaps sent, is taken up meanwhile.

        Not more often than every ten seconds: each look for what was perhaps sent counts as a try.
        """
        deadline = time.monotonic() + 2 * WAIT_SECONDS_MAX
        push_at = 0.0
        while len([row for row in await self.deliveries() if row["state"] == "sent"]) < count:
            assert time.monotonic() < deadline, await self.deliveries()
            if time.monotonic() >= push_at:
                await self.make_due(aged_seconds=61)
                push_at = time.monotonic() + 10
            await asyncio.sleep(0.2)

    async def make_due(self, *, aged_seconds: int = 0) -> None:
        """Let what waits be due now, and attempts look older, as if the time had passed."""
        tenant = self.harness.tenant
        await self.harness.query(
            "UPDATE reply_attempt SET begun_at = begun_at - make_interval(secs => %s) WHERE tenant_id = %s RETURNING 1",
            aged_seconds,
            tenant,
        )
        await self.harness.query(
            "UPDATE reply_delivery SET next_at = clock_timestamp() WHERE tenant_id = %s AND next_at IS NOT NULL"
            " RETURNING 1",
            tenant,
        )

    @asynccontextmanager
    async def delivering(self) -> AsyncIterator[ReplyDeliverer]:
        async with open_reply_deliverer(self.settings, open_sms, lambda now, _hours: now) as deliverer:
            yield deliverer

    def process(self, log: Path, failpoint: str | None = None) -> AbstractContextManager[DelivererProcess]:
        """Run `fte deliver sms` until the end of the block; it logs to a file."""
        return self.deliverer("sms", log, failpoint=failpoint)


@asynccontextmanager
async def sms_scene(harness: Harness, settings: Settings) -> AsyncIterator[SmsScene]:
    """Run a provider and a gateway, and connect an account of the harness's tenant."""
    provider = SmsProvider(account_sid="AC" + uuid.uuid4().hex, auth_token=uuid.uuid4().hex)
    async with serve_provider(provider) as port, serve_here(settings) as here:
        desk = AccountDesk(harness.database, harness.service.servers.sealer, harness.tenant)
        account_id = await desk.add(
            "sms",
            {
                "account_sid": provider.account_sid,
                "numbers": [OUR_NUMBER],
                "public_url": here.url,
                "api_url": f"http://127.0.0.1:{port}",
            },
            {"auth_token": provider.auth_token},
        )
        yield SmsScene(harness, desk, account_id, settings, provider, here)
        await desk.remove(account_id)
