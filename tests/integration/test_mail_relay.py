"""Mails are handed to a relay over real connections, and whatever it does is told apart rightly."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from ops.lab.mail_server import MailServer, MailStep
from producer.channels.email.composing import ComposedMail
from producer.delivery.mail_relay import CONNECTIONS_MAX, OF_ONE_DOMAIN_MAX, Relay, RelayEndpoint
from tests.integration.test_webhook_tls import write_certificate

CONTENT = b"Subject: hello\r\n\r\nfirst line\r\n.\r\n..two\r\nlast\r\n"


def _mail(number: int = 1, recipient: str = "maya@example.org") -> ComposedMail:
    return ComposedMail(f"<{number}@air.example>", f"bounces+{number}@air.example", recipient, CONTENT)


def _relay(server: MailServer, **changed: object) -> Relay:
    endpoint = {"host": "127.0.0.1", "port": server.port, "security": "none", "our_name": "air.example"} | changed
    return Relay(RelayEndpoint(**endpoint), ssl.create_default_context())  # type: ignore[arg-type]


@pytest.fixture
async def server() -> AsyncIterator[MailServer]:
    async with MailServer().listening() as server:
        yield server


async def test_a_mail_arrives_as_it_was_composed_and_the_connection_is_kept(server: MailServer) -> None:
    relay = _relay(server)

    outcomes = [await relay.send(_mail(number), 5) for number in range(5)]
    await relay.close()

    assert [outcome.kind for outcome in outcomes] == ["accepted"] * 5
    assert [outcome.provider_id for outcome in outcomes] == [f"<{number}@air.example>" for number in range(5)]
    assert [mail.content for mail in server.mails] == [CONTENT] * 5
    assert {(mail.sender, mail.recipients) for mail in server.mails} == {
        (f"bounces+{number}@air.example", ("maya@example.org",)) for number in range(5)
    }
    assert server.connections == 1


@pytest.mark.parametrize(
    ("at", "answer", "kind", "code"),
    [
        ("recipient", "450 4.2.0 greylisted", "retry", "450 4.2.0"),
        ("recipient", "451 come back", "retry", "451"),
        ("content", "452 4.3.1 no room", "retry", "452 4.3.1"),
        ("recipient", "550 5.1.1 unknown maya@example.org", "suppressed", "550 5.1.1"),
        ("recipient", "556 5.1.10 null MX", "suppressed", "556 5.1.10"),
        ("recipient", "550 no such user", "failed", "550"),
        ("recipient", "552 5.2.2 mailbox full", "failed", "552 5.2.2"),
        ("recipient", "550 5.7.1 blocked", "failed", "550 5.7.1"),
        ("content", "554 5.6.0 no", "failed", "554 5.6.0"),
        ("content", "550-5.7.26 not\r\n550 5.7.26 authenticated", "failed", "550 5.7.26"),
        ("sender", "552 5.3.4 too big", "failed", "552 5.3.4"),
        ("sender", "553 5.7.1 not yours", "stopped", "553 5.7.1"),
        ("sender", "530 5.7.0 log in first", "stopped", "530 5.7.0"),
        ("sender", "421 4.3.2 shutting down", "retry", "421 4.3.2"),
        ("content", "421 4.7.0 too many", "retry", "421 4.7.0"),
    ],
)
async def test_a_refusal_is_told_apart_by_its_code(
    server: MailServer, at: str, answer: str, kind: str, code: str
) -> None:
    server.steps = [MailStep(at, answer)]  # type: ignore[arg-type]
    relay = _relay(server)

    outcome = await relay.send(_mail(), 5)
    again = await relay.send(_mail(), 5)
    await relay.close()

    assert (outcome.kind, outcome.code) == (kind, code)
    assert "maya" not in outcome.reason
    assert again.kind == "accepted"
    assert len(server.mails) == 1


async def test_greylisting_is_waited_for_and_an_unavailable_relay_is_left_alone(server: MailServer) -> None:
    server.steps = [MailStep("recipient", "450 4.2.0 greylisted"), MailStep("sender", "421 4.3.2 closing")]
    relay = _relay(server)

    outcomes = [await relay.send(_mail(), 5) for _ in range(2)]
    await relay.close()

    assert sorted((outcome.after_seconds, outcome.pause_seconds) for outcome in outcomes) == [(0.0, 30.0), (60.0, 0.0)]


@pytest.mark.parametrize("do", ["cut", "hang"])
@pytest.mark.parametrize("at", ["sender", "recipient", "content"])
async def test_what_is_lost_before_the_mail_was_not_taken_and_after_it_nobody_knows(
    server: MailServer, at: str, do: str
) -> None:
    server.steps = [MailStep(at, do=do)]  # type: ignore[arg-type]
    relay = _relay(server)

    outcome = await relay.send(_mail(), 1)

    assert outcome.kind == ("unknown" if at == "content" else "retry")
    assert (await relay.send(_mail(), 5)).kind == "accepted"
    await relay.close()


async def test_an_answer_that_is_lost_after_the_mail_was_taken_is_unknown(server: MailServer) -> None:
    server.steps = [MailStep("content", do="lose_answer")]
    relay = _relay(server)

    first = await relay.send(_mail(), 5)
    second = await relay.send(_mail(), 5)
    await relay.close()

    assert (first.kind, second.kind) == ("unknown", "accepted")
    assert len({mail.content for mail in server.mails}) == 1
    assert len(server.mails) == 2


async def test_a_kept_connection_that_the_relay_has_ended_costs_no_attempt() -> None:
    server = MailServer()
    async with server.listening():
        relay = _relay(server)
        assert (await relay.send(_mail(1), 5)).kind == "accepted"
    async with server.listening(server.port):
        assert (await relay.send(_mail(2), 5)).kind == "accepted"
        server.steps = [MailStep("sender", "421 4.4.2 timeout")]
        assert (await relay.send(_mail(3), 5)).kind == "accepted"
        await relay.close()

    assert server.connections == 3


async def test_a_relay_gets_few_connections_and_one_domain_fewer(server: MailServer) -> None:
    relay = _relay(server)
    server.steps = [MailStep("content", do="hang") for _ in range(OF_ONE_DOMAIN_MAX)]

    hanging = [asyncio.create_task(relay.send(_mail(number), 3)) for number in range(5)]
    others = await asyncio.gather(*(relay.send(_mail(number, f"x@d{number}.example"), 5) for number in range(10)))
    outcomes = await asyncio.gather(*hanging)
    await relay.close()

    assert {outcome.kind for outcome in others} == {"accepted"}
    assert [outcome.kind for outcome in outcomes].count("unknown") == OF_ONE_DOMAIN_MAX
    assert server.connections <= CONNECTIONS_MAX + OF_ONE_DOMAIN_MAX


async def test_nobody_listening_is_told_and_the_account_pauses() -> None:
    async with MailServer().listening() as server:
        relay = _relay(server)

    outcome = await relay.send(_mail(), 5)

    assert (outcome.kind, outcome.code) == ("retry", "unreachable")
    assert outcome.pause_seconds > 0


async def test_what_does_not_greet_or_speaks_something_else_is_not_taken_for_a_relay() -> None:
    said = [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"554 5.7.1 go away\r\n", b"x" * 100_000]

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said.pop(0))
        with suppress(OSError):
            await reader.read()
        writer.close()

    listening = await asyncio.start_server(speak, "127.0.0.1", 0)
    async with listening:
        server = MailServer(port=listening.sockets[0].getsockname()[1])
        kinds = [(await _relay(server).send(_mail(), 1)).kind for _ in range(4)]

    assert kinds == ["retry"] * 4


class TestEncryption:
    @pytest.fixture
    def certificate(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """Write a certificate for localhost, which the system trusts."""
        path = write_certificate("localhost", tmp_path)
        monkeypatch.setenv("SSL_CERT_FILE", str(path))
        return path

    @pytest.mark.parametrize("security", ["starttls", "tls"])
    async def test_a_mail_goes_out_encrypted_to_the_relay_that_was_meant(
        self, certificate: Path, security: str
    ) -> None:
        async with MailServer().listening(tls=_server_tls(certificate), is_tls_from_start=security == "tls") as server:
            relay = _relay(server, host="localhost", security=security)
            outcome = await relay.send(_mail(), 5)
            await relay.close()

        assert outcome.kind == "accepted"
        assert [mail.is_encrypted for mail in server.mails] == [True]

    @pytest.mark.parametrize("security", ["starttls", "tls"])
    async def test_a_certificate_of_another_name_is_refused_and_nothing_is_said(
        self, certificate: Path, security: str
    ) -> None:
        async with MailServer(user="u", password="p").listening(
            tls=_server_tls(certificate), is_tls_from_start=security == "tls"
        ) as server:
            outcome = await _relay(server, security=security, user="u", password="p").send(_mail(), 5)

        assert (outcome.kind, outcome.code) == ("retry", "tls")
        assert server.commands == []

    @pytest.mark.parametrize("security", ["starttls", "tls"])
    async def test_a_certificate_that_nobody_vouches_for_is_refused(self, tmp_path: Path, security: str) -> None:
        own = write_certificate("localhost", tmp_path)
        async with MailServer().listening(tls=_server_tls(own), is_tls_from_start=security == "tls") as server:
            outcome = await _relay(server, host="localhost", security=security).send(_mail(), 5)

        assert (outcome.kind, outcome.code) == ("retry", "tls")
        assert server.mails == []

    async def test_a_relay_without_starttls_gets_no_mail_and_no_password(self, server: MailServer) -> None:
        outcome = await _relay(server, security="starttls", user="u", password="p").send(_mail(), 5)

        assert (outcome.kind, outcome.code) == ("retry", "tls")
        assert server.commands == []


async def test_a_wrong_password_stops_the_account_and_a_right_one_sends() -> None:
    async with MailServer(user="fte", password="right").listening() as server:
        wrong = await _relay(server, user="fte", password="wrong").send(_mail(), 5)
        right = _relay(server, user="fte", password="right")
        sent = await right.send(_mail(), 5)
        await right.close()

    assert (wrong.kind, wrong.code) == ("stopped", "535 5.7.8")
    assert "right" not in repr(right.endpoint)
    assert sent.kind == "accepted"
    assert len(server.mails) == 1


async def test_a_relay_that_offers_no_login_stops_the_account(server: MailServer) -> None:
    async with MailServer().listening() as bare:
        outcome = await _relay(bare, user="fte", password="right").send(_mail(), 5)

    assert outcome.kind == "stopped"


def _server_tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context
