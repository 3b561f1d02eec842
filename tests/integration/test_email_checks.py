"""A mailbox is checked against a real relay and real DNS packets, and a test mail arrives."""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from dns.asyncresolver import Resolver

from ops.desk.channel_checks import send_test
from ops.desk.channel_findings import CannotBeChecked
from ops.desk.email_checks import check_mailbox
from ops.lab.mail_server import MailServer, MailStep
from schema.settings import Settings
from tests.integration.email_scene import MAILBOX, MailboxScene, mail_scene
from tests.integration.test_webhook_tls import write_certificate
from tests.integration.worker_harness import MakeHarness

RECORDS = {
    ("air.example.", "MX"): ["10 mx.air.example."],
    ("air.example.", "TXT"): ['"google-site-verification=x"', '"v=spf1 ip4:192.0.2.1 " "-all"'],
    ("_dmarc.air.example.", "TXT"): ['"v=DMARC1; p=none"'],
}


class _NameServer(asyncio.DatagramProtocol):
    """Answers from a table; what stands in none does not exist."""

    def __init__(self, records: dict[tuple[str, str], list[str]]) -> None:
        self._records = records

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        query = dns.message.from_wire(data)
        asked = query.question[0]
        answer = dns.message.make_response(query)
        found = self._records.get((asked.name.to_text(), dns.rdatatype.to_text(asked.rdtype)))
        if found is None:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        else:
            answer.answer.append(dns.rrset.from_text_list(asked.name, 60, "IN", asked.rdtype, found))
        self._transport.sendto(answer.to_wire(), addr)


@asynccontextmanager
async def _dns(records: dict[tuple[str, str], list[str]]) -> AsyncIterator[Resolver]:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: _NameServer(records), local_addr=("127.0.0.1", 0))
    resolver = Resolver(configure=False)
    resolver.nameservers = ["127.0.0.1"]
    resolver.port = transport.get_extra_info("sockname")[1]
    resolver.lifetime = 2
    try:
        yield resolver
    finally:
        transport.close()


@pytest.fixture
async def scene(worker: MakeHarness, settings: Settings) -> AsyncIterator[MailboxScene]:
    async with mail_scene(await worker(), settings) as made:
        yield made


async def _check(scene: MailboxScene, resolver: Resolver | None = None) -> dict[str, tuple[str, str]]:
    findings = await check_mailbox(await scene.desk.open(scene.account_id), resolver)
    return {finding.name: (finding.state, finding.text) for finding in findings}


async def test_a_mailbox_that_works_is_found_right_and_nothing_is_sent(scene: MailboxScene) -> None:
    async with _dns(RECORDS) as resolver:
        found = await _check(scene, resolver)

    states = {name: state for name, (state, _) in found.items()}
    assert states == {
        "account": "right",
        "relay": "right",
        "air.example MX": "right",
        "air.example SPF": "right",
        "air.example DMARC": "right",
        "air.example DKIM": "advice",
    }
    assert found["air.example SPF"][1] == "v=spf1 ip4:192.0.2.1 -all"
    assert scene.server.commands == []


async def test_what_dns_lacks_is_advice_and_says_what_to_publish(scene: MailboxScene) -> None:
    two = {("air.example.", "TXT"): ['"v=spf1 -all"', '"v=spf1 a -all"']}
    async with _dns(two) as resolver:
        found = await _check(scene, resolver)

    assert found["air.example MX"] == ("advice", "no record: mails and bounces to this domain find no way here")
    assert found["air.example SPF"][1].startswith("2 records, and only one may be")
    assert "v=DMARC1" in found["air.example DMARC"][1]


async def test_where_no_name_server_answers_that_is_said_and_nothing_is_wrong(scene: MailboxScene) -> None:
    resolver = Resolver(configure=False)
    resolver.nameservers, resolver.port, resolver.lifetime = ["127.0.0.1"], 9, 0.5

    silent = await _check(scene, resolver)
    without = await _check(scene, None)

    assert silent["air.example"][0] == without["air.example"][0] == "advice"
    assert silent["relay"][0] == "right"


async def test_a_relay_that_cannot_be_trusted_or_refuses_the_login_is_wrong(
    worker: MakeHarness, settings: Settings, tmp_path: Path
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(write_certificate("localhost", tmp_path))
    async with mail_scene(await worker(), settings) as scene:
        async with MailServer().listening(tls=context) as untrusted:
            relay = {"relay_host": "localhost", "relay_port": untrusted.port, "relay_security": "starttls"}
            await scene.desk.set(scene.account_id, relay)
            distrusted = await _check(scene)
        async with MailServer(user="fte", password="right").listening() as server:
            changed = {"relay_port": server.port, "relay_security": "none", "relay_user": "fte"}
            await scene.desk.set(scene.account_id, changed)
            without = await _check(scene)
            assert server.commands == []
            await scene.desk.rotate(scene.account_id, {"relay_password": "wrong"}, 0)
            refused = await _check(scene)
        away = await _check(scene)

    assert distrusted["relay"][0] == "wrong"
    assert "certificate" in distrusted["relay"][1]
    assert (without["relay"][0], "relay_password" in without["relay"][1]) == ("wrong", True)
    assert "535" in refused["relay"][1]
    assert away["relay"][0] == "wrong"


async def test_a_providers_key_that_is_missing_or_malformed_is_wrong(scene: MailboxScene) -> None:
    await scene.desk.set(scene.account_id, {"inbound_providers": ["sendgrid", "mailgun", "postmark"]})
    await scene.desk.rotate(scene.account_id, {"sendgrid_public_key": "nonsense", "postmark_password": "x"}, 0)
    before = await _check(scene)
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    good = {
        "sendgrid_public_key": base64.b64encode(der).decode(),
        "mailgun_signing_key": "k",
        "postmark_password": "u:p",
    }
    await scene.desk.rotate(scene.account_id, good, 0)
    after = await _check(scene)

    providers = ("sendgrid", "mailgun", "postmark")
    assert [before[name][0] for name in providers] == ["wrong"] * 3
    assert [after[name][0] for name in providers] == ["right"] * 3


async def test_a_test_mail_arrives_and_each_has_an_id_of_its_own(scene: MailboxScene) -> None:
    outcomes = [await send_test(scene.desk, scene.account_id, "ops@example.org") for _ in range(2)]

    assert [outcome.kind for outcome in outcomes] == ["accepted"] * 2
    assert [mail.recipients for mail in scene.server.mails] == [("ops@example.org",)] * 2
    first, second = (scene.read(mail) for mail in scene.server.mails)
    assert first["Message-ID"] != second["Message-ID"]
    assert first["From"] == MAILBOX


async def test_a_test_mail_that_is_refused_says_why(scene: MailboxScene) -> None:
    scene.server.steps = [MailStep("recipient", "550 5.7.1 no")]

    outcome = await send_test(scene.desk, scene.account_id, "ops@example.org")

    assert (outcome.kind, outcome.code) == ("failed", "550 5.7.1")
    with pytest.raises(CannotBeChecked, match="local@domain"):
        await send_test(scene.desk, scene.account_id, "ops")
