"""Be an SMTP server on loopback that takes mails to anybody, keeps them for whoever looks, and misbehaves on demand.

It delivers nothing. A step says what becomes of a mail at one point of its way (`sender`, `recipient`, `content`), and
is used up by the first mail that comes there:

    MailStep("recipient", "450 4.2.0 come back later")   refuses there
    MailStep("content", do="hang")                       never answers
    MailStep("sender", do="cut")                         hangs up
    MailStep("content", do="lose_answer")                takes the mail, and hangs up instead of saying so
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator

Point = Literal["sender", "recipient", "content"]

MAIL_BYTES_MAX: Final = 1_000_000


@dataclass(frozen=True)
class MailStep:
    """What becomes of one mail at one point."""

    at: Point
    answer: str = "250 OK"
    do: Literal["answer", "hang", "cut", "lose_answer"] = "answer"


@dataclass(frozen=True)
class RelayedMail:
    """A mail as it came: when by this machine's clock, its envelope, and its bytes."""

    at: float
    sender: str
    recipients: tuple[str, ...]
    content: bytes = field(repr=False)
    connection: int = 0
    """Which connection brought it: 1, 2, 3 …"""
    is_encrypted: bool = False


@dataclass
class MailServer:
    """The mails that came, and what is to happen to the next ones."""

    user: str | None = None
    """Who has to log in before anything is taken; None: anybody may send."""
    password: str = ""
    steps: list[MailStep] = field(default_factory=list)
    mails: list[RelayedMail] = field(default_factory=list)
    on_mail: Callable[[RelayedMail], None] | None = None
    port: int = 0
    connections: int = 0
    commands: list[str] = field(default_factory=list)
    """What was asked, in order: `MAIL`, `RCPT`, `DATA`, `LOGIN`."""

    @asynccontextmanager
    async def listening(
        self, port: int = 0, *, tls: ssl.SSLContext | None = None, is_tls_from_start: bool = False
    ) -> AsyncIterator[MailServer]:
        """Serve on loopback until the end of the block, on a free port unless one is named."""
        loop = asyncio.get_running_loop()
        protocols: set[_Protocol] = set()

        def make() -> _Protocol:
            self.connections += 1
            protocol = _Protocol(self, self.connections, None if is_tls_from_start else tls)
            protocols.add(protocol)
            return protocol

        server = await loop.create_server(make, "127.0.0.1", port, ssl=tls if is_tls_from_start else None)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for protocol in protocols:
                protocol.hang_up()
            await asyncio.sleep(0)

    def next_step(self, point: Point) -> MailStep | None:
        """Return what is to happen to the mail that has come to this point, and use it up."""
        for step in self.steps:
            if step.at == point:
                self.steps.remove(step)
                return step
        return None

    def authenticate(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        """Check who logs in."""
        self.commands.append("LOGIN")
        is_right = isinstance(data, LoginPassword) and (data.login, data.password) == (
            (self.user or "").encode(),
            self.password.encode(),
        )
        return AuthResult(success=is_right, handled=False)


class _Protocol(SMTP):
    """One connection."""

    def __init__(self, server: MailServer, number: int, tls: ssl.SSLContext | None) -> None:
        super().__init__(
            self,
            hostname="mail.localhost",
            ident="fte sandbox",
            data_size_limit=MAIL_BYTES_MAX,
            tls_context=tls,
            require_starttls=tls is not None,
            auth_require_tls=False,
            auth_exclude_mechanism=["LOGIN", "PLAIN"] if server.user is None else [],
            authenticator=server.authenticate,
            loop=asyncio.get_running_loop(),
        )
        self._server = server
        self._number = number

    async def handle_MAIL(  # noqa: N802 - aiosmtpd finds its hooks by these names
        self, _server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Answer who a mail is from."""
        self._server.commands.append("MAIL")
        if self._server.user is not None and not session.authenticated:
            return "530 5.7.0 log in first"
        refusal = await self._act("sender")
        if refusal is None:
            envelope.mail_from = address
            envelope.mail_options.extend(options)
        return refusal or "250 2.1.0 OK"

    async def handle_RCPT(  # noqa: N802 - as handle_MAIL
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Answer who a mail is for."""
        self._server.commands.append("RCPT")
        refusal = await self._act("recipient")
        if refusal is None:
            envelope.rcpt_tos.append(address)
            envelope.rcpt_options.extend(options)
        return refusal or "250 2.1.5 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - as handle_MAIL
        """Take a mail."""
        self._server.commands.append("DATA")
        content = envelope.content
        assert isinstance(content, bytes)  # noqa: S101 - for the type checker: nothing is decoded
        refusal = await self._act("content", lambda: self._take(envelope, content))
        if refusal is None:
            self._take(envelope, content)
        return refusal or f"250 2.0.0 OK queued as {len(self._server.mails)}"

    def hang_up(self) -> None:
        """End the connection at once."""
        if self.transport is not None:
            self.transport.abort()  # type: ignore[attr-defined]
        if self._handler_coroutine is not None:
            self._handler_coroutine.cancel()

    def _take(self, envelope: Envelope, content: bytes) -> None:
        mail = RelayedMail(
            time.time(),
            envelope.mail_from or "",
            tuple(envelope.rcpt_tos),
            content,
            self._number,
            is_encrypted=self.transport is not None and self.transport.get_extra_info("sslcontext") is not None,
        )
        self._server.mails.append(mail)
        if self._server.on_mail is not None:
            self._server.on_mail(mail)

    async def _act(self, point: Point, take: Callable[[], None] | None = None) -> str | None:
        """Do what the next step says; return its refusal, or None where the mail goes on."""
        step = self._server.next_step(point)
        if step is None:
            return None
        if step.do == "answer":
            return None if step.answer.startswith("2") else step.answer
        if step.do == "lose_answer" and take is not None:
            take()
        if step.do != "hang":
            self.hang_up()
        await asyncio.Event().wait()
        return None
