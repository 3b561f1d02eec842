"""Take mails from the mail server in front, by LMTP or SMTP: one recipient a mail, and 250 once the inbox has it."""

from __future__ import annotations

import asyncio
import logging
import socket
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, AnyStr, Final

import structlog
from aiosmtpd.smtp import SMTP, syntax
from redis.exceptions import RedisError

from producer.channels.email.raw_mail import LINE_BYTES_MAX, MAIL_BYTES_MAX
from producer.gateway.mail_accounts import AmbiguousMailbox, MailAccounts
from producer.gateway.mail_intake import MailEnvelope, MailIntake
from producer.sending.client import AsyncProducer
from runtime.channel_accounts import ChannelAccounts
from runtime.configuration import open_sealer, settings_for_http
from runtime.connecting import open_fenced_database
from runtime.failpoints import Failpoint, no_failpoint
from runtime.outage import POSTGRESQL_AWAY
from runtime.tenants import Tenants
from schema.errors import FteError, InvalidSettings
from schema.settings.listening import parse_listening

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiosmtpd.smtp import Envelope, Session

    from producer.gateway.mail_accounts import FoundMailbox
    from schema.settings.mail_door import MailDoorSettings

COMMANDS_MAX: Final = 1_000
"""Commands of one kind in a session; a mail server sends many mails over one."""
STOP_SECONDS_MAX: Final = 10.0
"""How long a stopping door lets sessions end their mail."""

_STORED: Final = "250 2.0.0 accepted"
_UNKNOWN: Final = "550 5.1.1 no such mailbox here"
_ONE_RECIPIENT: Final = "452 4.5.3 one recipient a mail, please; send the next in a transaction of its own"
_TRY_AGAIN: Final = "451 4.3.0 cannot store the mail now; try again later"
_TOO_BUSY: Final = b"421 4.3.2 too many sessions; try again later\r\n"

_AWAY: Final[tuple[type[Exception], ...]] = (FteError, OSError, RedisError, *POSTGRESQL_AWAY)
"""What a mail may meet that is over some time later."""

_log = structlog.get_logger("fte.mail.door")


class MailDoor:
    """What one process does with the commands of mail servers: aiosmtpd calls it, by these names."""

    def __init__(self, accounts: MailAccounts, tenants: Tenants, intake: MailIntake) -> None:
        self._accounts = accounts
        self._tenants = tenants
        self._intake = intake

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _: SMTP, __: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take a recipient whose mailbox is ours; 550 for any other, 452 for a second one, 451 when nobody can tell."""
        if envelope.rcpt_tos:
            return _ONE_RECIPIENT
        try:
            found = await self._find(address)
        except AmbiguousMailbox as error:
            _log.error("mail.mailbox_ambiguous", problem=str(error))
            return _TRY_AGAIN
        except _AWAY as error:
            return _refuse_for_now(error)
        if found is None:
            return _UNKNOWN
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 ok"

    async def handle_DATA(self, _: SMTP, __: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """Take a mail: 250 once it is in the inbox, 451 when it cannot be stored now."""
        try:
            found = await self._find(envelope.rcpt_tos[0])
            if found is None:
                return _UNKNOWN
            await self._take(found, envelope)
        except _AWAY as error:
            return _refuse_for_now(error)
        return _STORED

    async def handle_exception(self, error: Exception) -> str:
        """Answer a fault of this program, which the log tells with its trace; the mail server tries again."""
        _log.error("mail.door_fault", exc_info=error)
        return _TRY_AGAIN

    async def _find(self, address: str) -> FoundMailbox | None:
        """Find the mailbox, of a tenant that takes e-mail; raises TenantSuspended, so that mails come again later."""
        found = await self._accounts.find(address)
        if found is None:
            return None
        tenant = found.account.tenant
        await self._accounts.speak_for(found.account)
        return found if "email" in (await self._tenants.settings(tenant)).channels else None

    async def _take(self, found: FoundMailbox, envelope: Envelope) -> None:
        raw = envelope.original_content
        if raw is None:
            raise FteError("a mail came without its bytes")
        came = MailEnvelope(
            sender=(envelope.mail_from or "").strip("<>"),
            recipients=tuple(envelope.rcpt_tos),
            own_address=found.own_address,
        )
        await self._intake.take(found.account, bytes(raw), came)


class DoorSession(SMTP):
    """One session with a mail server, in LMTP or SMTP; the greeting tells which, and the answers are the same."""

    line_length_limit = LINE_BYTES_MAX

    @syntax("LHLO hostname")
    async def smtp_LHLO(self, hostname: str) -> None:  # noqa: N802 - aiosmtpd's name
        """Greet by LMTP. With one recipient a mail, its one answer after the mail is SMTP's."""
        await self.smtp_EHLO(hostname)


def _refuse_for_now(error: Exception) -> str:
    """Answer that the mail is to come again."""
    _log.warning("mail.refused_for_now", problem=type(error).__name__)
    return _TRY_AGAIN


@asynccontextmanager
async def open_mail_door(settings: MailDoorSettings, *, failpoint: Failpoint = no_failpoint) -> AsyncIterator[str]:
    """Listen for mail servers until the end of the block; gives where.

    Raises what `AsyncProducer` raises; ServerUnfit where the login could see more than one tenant at a time;
    InvalidSettings for an address that cannot be had.
    """
    # Customers' addresses stand in its lines.
    logging.getLogger("mail.log").setLevel(logging.CRITICAL)
    settings = settings_for_http(settings)
    async with AsyncExitStack() as opening:
        database = await open_fenced_database(settings, opening)
        sealer = open_sealer(settings)
        producer = await opening.enter_async_context(AsyncProducer(settings, failpoint=failpoint, database=database))
        accounts = MailAccounts(database, ChannelAccounts(database, sealer))
        door = MailDoor(accounts, Tenants(database), MailIntake(database, producer, sealer, settings))
        sessions = _Sessions(door, settings)
        where = await sessions.listen()
        opening.push_async_callback(sessions.close)
        _log.info("mail.door_open", listens=where)
        yield where
    _log.info("mail.door_closed")


class _Sessions:
    """The sessions under way: at most so many, and ended when the process stops."""

    def __init__(self, door: MailDoor, settings: MailDoorSettings) -> None:
        self._door = door
        self._settings = settings
        self._open: set[_Counted] = set()
        self._server: asyncio.Server | None = None

    async def listen(self) -> str:
        """Listen where the settings say; returns the address with its port, or the socket's path."""
        where = self._settings.mail_door_listen
        loop = asyncio.get_running_loop()
        try:
            if where.startswith("/"):
                _remove_socket(Path(where))
                self._server = await loop.create_unix_server(self._begin, where)
                return where
            host, port = parse_listening(where)
            self._server = await loop.create_server(self._begin, host, port)
        except OSError as error:
            raise InvalidSettings(
                [f"FTE_MAIL_DOOR_LISTEN: cannot listen on {where}: {error.strerror or error}"]
            ) from None
        return "{}:{}".format(*self._server.sockets[0].getsockname()[:2])

    def _begin(self) -> asyncio.Protocol:
        if len(self._open) >= self._settings.mail_door_sessions_max:
            return _Turned()
        return _Counted(self._open, self._door, self._settings)

    async def close(self) -> None:
        """Take no more sessions, let those under way end their mail, and cut off what is left."""
        if self._server is None:
            return
        self._server.close()
        for session in list(self._open):
            session.end_when_idle()
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_SECONDS_MAX):
                while self._open:  # noqa: ASYNC110 - aiosmtpd tells of a session's end by its protocol alone
                    await asyncio.sleep(0.02)
        for session in list(self._open):
            session.cut()
        if self._settings.mail_door_listen.startswith("/"):
            _remove_socket(Path(self._settings.mail_door_listen))


class _Counted(DoorSession):
    """A session that is counted from its connection to its end."""

    def __init__(self, sessions: set[_Counted], door: MailDoor, settings: MailDoorSettings) -> None:
        super().__init__(
            door,
            data_size_limit=MAIL_BYTES_MAX,
            enable_SMTPUTF8=True,
            hostname=socket.gethostname(),
            ident="fte",
            timeout=settings.mail_door_seconds_max,
            command_call_limit=COMMANDS_MAX,
            loop=asyncio.get_running_loop(),
        )
        self._sessions = sessions
        self._is_ending = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count the session."""
        self._sessions.add(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        """Count the session no more."""
        self._sessions.discard(self)
        super().connection_lost(error)

    def end_when_idle(self) -> None:
        """End the session now, or after the mail that is under way."""
        self._is_ending = True
        if self.envelope is None or not self.envelope.rcpt_tos:
            self.cut()

    def cut(self) -> None:
        """Close the connection."""
        if self.transport is not None:
            self.transport.close()

    async def push(self, status: AnyStr) -> None:
        """Answer; in a door that stops, an answer to a mail is the last one."""
        await super().push(status)
        if self._is_ending and (self.envelope is None or not self.envelope.rcpt_tos):
            self.cut()


class _Turned(asyncio.Protocol):
    """A connection that is one too many: told so, and closed."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Say that there are too many sessions."""
        if isinstance(transport, asyncio.Transport):
            transport.write(_TOO_BUSY)
        transport.close()


def _remove_socket(path: Path) -> None:
    """Remove the socket of a door that is closed, or died; a file that is no socket stays."""
    if path.is_socket():
        path.unlink(missing_ok=True)
