"""Hand mails to one SMTP relay over a few connections that are kept, and tell how each went."""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal
from weakref import WeakValueDictionary

import aiosmtplib
from aiosmtplib import errors

from producer.delivery.mail_rules import Phase, judge_distrust, judge_loss, judge_refusal, read_status
from producer.delivery.reply_channel import SendOutcome

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from producer.channels.email.composing import ComposedMail

CONNECTIONS_MAX: Final = 4
"""Connections to one relay at once."""

OF_ONE_DOMAIN_MAX: Final = 2
"""Mails to recipients of one domain under way at once: large providers slow down whoever sends them more."""

MAILS_PER_CONNECTION_MAX: Final = 100
IDLE_SECONDS: Final = 20.0
"""How long a connection is kept that nothing is sent over; relays end them after a minute or more."""

COMMAND_SECONDS_MAX: Final = 30.0
"""How long a relay may take to connect, and for each answer before the mail's own."""

_QUIT_SECONDS_MAX: Final = 2.0
_NOT_AVAILABLE: Final = 421


@dataclass(frozen=True)
class RelayEndpoint:
    """Where a relay listens, how it is trusted, and who logs in there; `repr` shows no password."""

    host: str
    port: int
    security: Literal["starttls", "tls", "none"]
    """How the connection is encrypted; the certificate is verified. `none` is for loopback."""
    our_name: str
    """How we greet it: a domain."""
    user: str | None = None
    password: str | None = field(default=None, repr=False)


class RelayDistrusted(Exception):
    """The relay's certificate does not hold, or it offers no encryption: nothing is said to it."""


@dataclass(eq=False)
class _Connection:
    client: aiosmtplib.SMTP
    mails: int = 0
    expiry: asyncio.TimerHandle | None = None


@dataclass
class _Progress:
    """How far the attempt has come, for whoever cuts it off."""

    phase: Phase = "connect"


class Relay:
    """One relay, and the connections to it."""

    def __init__(self, endpoint: RelayEndpoint, tls: ssl.SSLContext) -> None:
        self.endpoint = endpoint
        self._tls = tls
        self._idle: deque[_Connection] = deque()
        self._slots = asyncio.Semaphore(CONNECTIONS_MAX)
        self._domains: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    async def send(self, mail: ComposedMail, seconds_max: float) -> SendOutcome:
        """Hand a mail to the relay, once; return how it went within the time limit. Raises for nothing that it did."""
        domain = self._domain_of(mail.recipient)

        async def hand_over(progress: _Progress) -> SendOutcome:
            async with domain, self._slots:
                return await self._hand_over(mail, progress)

        return await _judged(hand_over, seconds_max)

    async def check(self, seconds_max: float) -> SendOutcome:
        """Connect, verify and log in, and send nothing; return `accepted`, or what `send` would have returned."""

        async def connect(progress: _Progress) -> SendOutcome:
            await _quit(await self._connect(progress))
            return SendOutcome("accepted")

        return await _judged(connect, seconds_max)

    async def close(self) -> None:
        """End the connections that nothing is sent over."""
        while self._idle:
            await _quit(self._idle.popleft())

    async def _hand_over(self, mail: ComposedMail, progress: _Progress) -> SendOutcome:
        while self._idle:
            kept = self._idle.pop()
            if kept.expiry is not None:
                kept.expiry.cancel()
            with suppress(_KeptConnectionEnded):
                return await self._transact(kept, mail, progress)
        return await self._transact(await self._connect(progress), mail, progress)

    async def _transact(self, connection: _Connection, mail: ComposedMail, progress: _Progress) -> SendOutcome:
        """Send one mail over a connection, and keep it for the next unless it broke.

        Raises _KeptConnectionEnded where a connection that had been kept is found to be ended, before anything was
        said.
        """
        client = connection.client
        is_fresh = connection.mails == 0
        connection.mails += 1
        try:
            progress.phase = "sender"
            try:
                options = [f"size={len(mail.content)}"] if client.supports_extension("size") else []
                await client.mail(mail.sender, options=options)
            except (errors.SMTPServerDisconnected, errors.SMTPSenderRefused) as error:
                if not is_fresh and getattr(error, "code", _NOT_AVAILABLE) == _NOT_AVAILABLE:
                    raise _KeptConnectionEnded from error
                raise
            progress.phase = "recipient"
            await client.rcpt(mail.recipient)
            progress.phase = "content"
            answer = await client.data(mail.content, timeout=None)
        except errors.SMTPResponseException:
            await self._reset(connection)
            raise
        except BaseException:
            client.close()  # in the middle of a mail there is nothing else that both sides agree on
            raise
        self._keep(connection)
        return SendOutcome("accepted", mail.message_id, code=read_status(answer.message) or str(answer.code))

    async def _connect(self, progress: _Progress) -> _Connection:
        progress.phase = "connect"
        endpoint = self.endpoint
        client = aiosmtplib.SMTP(
            hostname=endpoint.host,
            port=endpoint.port,
            local_hostname=endpoint.our_name,
            use_tls=endpoint.security == "tls",
            start_tls=False,
            tls_context=self._tls,
            timeout=COMMAND_SECONDS_MAX,
        )
        try:
            await client.connect()
            if endpoint.security == "starttls":
                await self._encrypt(client)
            if endpoint.user is not None:
                progress.phase = "login"
                await _log_in(client, endpoint)
        except BaseException as error:
            client.close()
            if _is_distrust(error):
                raise RelayDistrusted("the relay's certificate does not hold, or TLS failed") from error
            raise
        return _Connection(client)

    async def _encrypt(self, client: aiosmtplib.SMTP) -> None:
        await client.ehlo()
        if not client.supports_extension("starttls"):
            raise RelayDistrusted("the relay offers no STARTTLS")
        await client.starttls()

    async def _reset(self, connection: _Connection) -> None:
        """Make a connection fit for another mail after a refusal; one that is not is closed."""
        try:
            await connection.client.rset()
        except (errors.SMTPException, OSError):
            connection.client.close()
        else:
            self._keep(connection)

    def _keep(self, connection: _Connection) -> None:
        if connection.mails >= MAILS_PER_CONNECTION_MAX or not connection.client.is_connected:
            connection.client.close()
            return
        self._idle.append(connection)
        connection.expiry = asyncio.get_running_loop().call_later(IDLE_SECONDS, self._expire, connection)

    def _expire(self, connection: _Connection) -> None:
        with suppress(ValueError):  # taken in this very moment
            self._idle.remove(connection)
            connection.client.close()

    def _domain_of(self, recipient: str) -> asyncio.Semaphore:
        domain = recipient.rpartition("@")[2]
        found = self._domains.get(domain)
        if found is None:
            found = self._domains[domain] = asyncio.Semaphore(OF_ONE_DOMAIN_MAX)
        return found


class _KeptConnectionEnded(Exception):
    """The relay has ended a connection that was kept, as relays do after a while."""


async def _judged(work: Callable[[_Progress], Awaitable[SendOutcome]], seconds_max: float) -> SendOutcome:
    """Do something with a relay within a time limit, and tell apart whatever it meets."""
    progress = _Progress()
    try:
        async with asyncio.timeout(seconds_max):
            return await work(progress)
    except RelayDistrusted as error:
        return judge_distrust(str(error))
    except errors.SMTPResponseException as error:
        if error.code <= 0:  # what came is no answer of SMTP
            return judge_loss(progress.phase, "the relay does not speak SMTP")
        return judge_refusal(progress.phase, error.code, error.message)
    except TimeoutError:
        return judge_loss(progress.phase, "the relay did not answer in time")
    except (errors.SMTPException, OSError) as error:
        return judge_loss(progress.phase, f"the connection to the relay failed ({type(error).__name__})")


async def _log_in(client: aiosmtplib.SMTP, endpoint: RelayEndpoint) -> None:
    await client.ehlo()
    if not client.supported_auth_methods:
        raise errors.SMTPAuthenticationError(530, "5.7.0 the relay offers no way to log in")
    await client.login(endpoint.user or "", endpoint.password or "")


async def _quit(connection: _Connection) -> None:
    if connection.expiry is not None:
        connection.expiry.cancel()
    with suppress(errors.SMTPException, OSError):
        await connection.client.quit(timeout=_QUIT_SECONDS_MAX)
    connection.client.close()


def _is_distrust(error: BaseException) -> bool:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError | ssl.CertificateError):
            return True
        cause = cause.__cause__ or cause.__context__
    return False
