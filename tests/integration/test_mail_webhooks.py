from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from ops.desk.channels import AccountDesk
from schema.channel_accounts import EmailSecrets
from schema.messages.unanswered import UNANSWERED_KEY
from tests.integration.http_gateway import serve_here
from tests.integration.mail_scene import ADA, MailScene, write_mail
from tests.unit.mail_providers import (
    MAILGUN_KEY,
    POSTMARK_PASSWORD,
    Request,
    mailgun,
    postmark,
    sendgrid,
    sendgrid_public_key,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.integration.worker_harness import Harness, MakeHarness

PROVIDERS = ("sendgrid", "mailgun", "postmark")


@dataclass
class WebhookScene(MailScene):
    """A tenant with a mailbox that providers hand mails in for."""

    url: str = ""
    desk: AccountDesk = field(kw_only=True)

    def request(self, provider: str, raw: bytes, to: str | None = None, **options: Any) -> Request:
        to = to or self.address
        if provider == "sendgrid":
            return sendgrid(raw, to, now=options.pop("now", time.time()), **options)
        if provider == "mailgun":
            return mailgun(raw, to, now=options.pop("now", time.time()), **options)
        return postmark(raw, to, **options)

    async def post(self, provider: str, request: Request, *, account: str | None = None) -> httpx2.Response:
        headers, body = request
        async with httpx2.AsyncClient(timeout=30) as client:
            place = "mailgun/mime" if provider == "mailgun" else provider
            url = f"{self.url}/v1/channels/email/{self.harness.tenant}/{account or self.account_id}/{place}"
            return await client.post(url, content=body, headers=headers)

    async def bring(self, provider: str, raw: bytes, to: str | None = None, **options: Any) -> int:
        return (await self.post(provider, self.request(provider, raw, to, **options))).status_code


@asynccontextmanager
async def webhook_scene(harness: Harness) -> AsyncIterator[WebhookScene]:
    servers = harness.service.servers
    address = f"support@{harness.tenant}.example"
    desk = AccountDesk(servers.database, servers.sealer, harness.tenant)
    account_id = await desk.add(
        "email",
        {"addresses": [address], "domain": f"{harness.tenant}.example", "inbound_providers": list(PROVIDERS)},
        EmailSecrets(
            sendgrid_public_key=sendgrid_public_key(),
            mailgun_signing_key=MAILGUN_KEY,
            postmark_password=POSTMARK_PASSWORD,
        ).model_dump(exclude_none=True),
    )
    async with serve_here(harness.settings) as here:
        yield WebhookScene(harness, account_id, address, "", url=here.url, desk=desk)


@pytest.fixture
async def scene(worker: MakeHarness) -> AsyncIterator[WebhookScene]:
    async with webhook_scene(await worker()) as made:
        yield made


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_mail_of_a_provider_becomes_a_turn_and_once(scene: WebhookScene, provider: str) -> None:
    request = scene.request(provider, write_mail("How much is a bag? Grüße"))

    statuses = [(await scene.post(provider, request)).status_code for _ in range(3)]
    await scene.answer()

    assert statuses == [200, 200, 200]
    assert [reply["text"] for reply in await scene.replies()] == ["you said: A bag\n\nHow much is a bag? Grüße"]


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_providers_mail_finds_its_conversation_by_the_address(scene: WebhookScene, provider: str) -> None:
    await scene.bring(provider, write_mail("one"))
    (conversation,) = await scene.conversations()
    again = write_mail("two", Message_ID="<2@customer>", To=scene.address_of(conversation))

    assert await scene.bring(provider, again, scene.address_of(conversation), **_other_token(provider)) == 200

    assert await scene.conversations() == [conversation]


def _other_token(provider: str) -> dict[str, Any]:
    return {"token": "u" * 50} if provider == "mailgun" else {}


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_request_that_is_not_the_providers_changes_nothing_and_learns_nothing(
    scene: WebhookScene, provider: str
) -> None:
    headers, body = scene.request(provider, write_mail())
    forged = {name: value for name, value in headers.items() if name == "Content-Type"}
    if provider == "mailgun":
        body = body.replace(b"signature", b"signatura")
    there = await scene.post(provider, (forged, body))
    elsewhere = await scene.post(provider, (headers, body), account="ch_0123456789abcdef")

    assert {there.status_code, elsewhere.status_code} == {401 if provider == "postmark" else 403}
    assert there.json()["detail"] == elsewhere.json()["detail"]
    assert await scene.inbox() == []


async def test_a_token_of_mailgun_is_good_for_one_mail(scene: WebhookScene) -> None:
    assert await scene.bring("mailgun", write_mail("one")) == 200
    assert await scene.bring("mailgun", write_mail("one")) == 200
    assert await scene.bring("mailgun", write_mail("another", Message_ID="<2@customer>")) == 403

    assert len(await scene.inbox()) == 1


@pytest.mark.parametrize(("provider", "status"), [("sendgrid", 200), ("mailgun", 406), ("postmark", 403)])
async def test_a_mail_to_none_of_our_addresses_is_not_handed_in_again(
    scene: WebhookScene, provider: str, status: int
) -> None:
    assert await scene.bring(provider, write_mail(), "someone@elsewhere.example") == status

    assert await scene.inbox() == []


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_mail_that_is_too_large_to_be_read_reaches_a_person(scene: WebhookScene, provider: str) -> None:
    raw = write_mail() + b"x" * 78 + (b"y" * 76 + b"\r\n") * 150_000

    assert await scene.bring(provider, raw) == 200
    await scene.answer()

    (row,) = await scene.inbox()
    assert row["inbound"]["metadata"][UNANSWERED_KEY] == "unreadable"
    assert row["inbound"]["sender"] == ADA
    assert len(await scene.harness.escalations()) == 1


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_results_of_dmarc_verify_nobody_where_no_server_of_ours_wrote_them(
    scene: WebhookScene, provider: str
) -> None:
    await scene.desk.set(scene.account_id, {"authserv_id": "mx.air.example"})
    forged = b"Authentication-Results: mx.air.example; dmarc=pass header.from=customer.example\r\n"

    assert await scene.bring(provider, forged + write_mail()) == 200

    (row,) = await scene.inbox()
    assert "fte.sender_verified" not in row["inbound"]["metadata"]


@pytest.mark.parametrize(
    ("dkim", "verified"), [("{@customer.example : pass}", "true"), ("{@evil.example : pass}", None)]
)
async def test_a_signature_that_sendgrid_found_to_hold_verifies_its_domain(
    scene: WebhookScene, dkim: str, verified: str | None
) -> None:
    await scene.bring("sendgrid", write_mail(), dkim=dkim)

    (row,) = await scene.inbox()
    assert row["inbound"]["metadata"].get("fte.sender_verified") == verified


async def test_the_key_before_holds_for_a_time_and_then_no_more(scene: WebhookScene) -> None:
    await scene.desk.rotate(scene.account_id, {"mailgun_signing_key": "key-new"}, overlap_seconds=3600)
    old = scene.request("mailgun", write_mail("old", Message_ID="<1@c>"), token="o" * 50)
    new = scene.request("mailgun", write_mail("new", Message_ID="<2@c>"), token="n" * 50, key="key-new")

    assert [(await scene.post("mailgun", each)).status_code for each in (old, new)] == [200, 200]


async def test_a_provider_that_is_not_switched_on_is_refused(worker: MakeHarness) -> None:
    async with webhook_scene(await worker()) as scene:
        await scene.desk.set(scene.account_id, {"inbound_providers": ["postmark"]})

        assert await scene.bring("mailgun", write_mail()) == 403
        assert await scene.bring("postmark", write_mail()) == 200


async def test_several_mails_at_once_are_taken_or_asked_to_come_again(scene: WebhookScene) -> None:
    async def bring(number: int) -> int:
        return await scene.bring("postmark", write_mail(f"mail {number}", Message_ID=f"<{number}@c>"))

    statuses = await asyncio.gather(*(bring(number) for number in range(12)))

    assert set(statuses) <= {200, 503}
    assert len(await scene.inbox()) == statuses.count(200) >= 1
