"""Send one webhook over HTTP, to an address that was checked, and tell how it went; never raises for the receiver."""

from __future__ import annotations

import asyncio
import socket
import ssl
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final, Literal

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from producer.delivery.vetting import AddressRefused, Endpoint, UnsafeUrl, check_addresses, read_endpoint

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from schema.settings.webhooks import WebhookSettings

ANSWER_BYTES_MAX: Final = 16_384
"""How much of a receiver's answer is read; its status is what counts."""

ANSWER_SECONDS_MAX: Final = 1.0
"""How long the rest of an answer is waited for once its status is known."""

RETRY_AFTER_SECONDS_MAX: Final = 86_400.0
"""Longest pause that a receiver may ask for."""

Kind = Literal["status", "timeout", "unreachable", "insecure", "refused_address", "bad_url", "unsealable"]
"""`status`: the receiver answered. `unsealable`: this process has no key to the target's secret; nothing was sent."""


@dataclass(frozen=True)
class DeliveryOutcome:
    """How one attempt went: `status` is HTTP's, where the receiver answered."""

    kind: Kind
    status: int | None = None
    retry_after_seconds: float | None = None
    """How long the receiver asks to wait."""
    reason: str = ""
    """For people, without anything that the receiver wrote."""

    @property
    def is_delivered(self) -> bool:
        """Check whether the receiver took the webhook: any 2xx; a redirect is a failure and is not followed."""
        return self.status is not None and 200 <= self.status < 300  # noqa: PLR2004 - HTTP's classes


class VettedResolver(AbstractResolver):
    """Looks a receiver's name up once for a connection, and gives only addresses that were all found good.

    aiohttp connects to what this returns and to nothing else, and checks the certificate for the name. It does not ask
    where the URL has an address instead of a name: `read_endpoint` refuses those.
    """

    def __init__(self, settings: WebhookSettings, scheme: str, lookup: AbstractResolver) -> None:
        self._networks = settings.webhook_networks
        self._scheme = scheme
        self._lookup = lookup

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses of a host; raises AddressRefused when any of them will not do, OSError when none is."""
        found = await self._lookup.resolve(host, port, family)
        endpoint = Endpoint(self._scheme, host, port, "/")
        check_addresses(endpoint, [each["host"] for each in found], self._networks)
        return found

    async def close(self) -> None:
        """Close what looks names up."""
        await self._lookup.close()


class Sender:
    """Sends webhooks over connections of its own: no proxy of the environment, no cookies, no redirects."""

    def __init__(self, settings: WebhookSettings, sessions: Mapping[str, aiohttp.ClientSession]) -> None:
        """Take a session for each scheme: what is allowed over one is not over the other."""
        self._seconds_max = settings.webhook_seconds_max
        self._sessions = sessions

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> DeliveryOutcome:
        """Post a signed body; return how it went within the time limit of an attempt."""
        try:
            endpoint = read_endpoint(url)
            async with asyncio.timeout(self._seconds_max):
                response = await self._post(endpoint, headers, body)
        except UnsafeUrl as error:
            return DeliveryOutcome("bad_url", reason=str(error))
        except AddressRefused as error:
            return DeliveryOutcome("refused_address", reason=str(error))
        except TimeoutError:
            return DeliveryOutcome("timeout", reason=f"no answer within {self._seconds_max:g} s")
        except (aiohttp.ClientError, OSError, ssl.SSLError, ValueError) as error:
            return _failure_of(error)
        async with response:
            await _drain(response)
        return DeliveryOutcome("status", response.status, _retry_after(response.headers.get("retry-after")))

    async def _post(self, endpoint: Endpoint, headers: Mapping[str, str], body: bytes) -> aiohttp.ClientResponse:
        """Send a webhook, and return the answer once its status has come."""
        sent = {**headers, "content-type": "application/json", "user-agent": "fte-webhooks/1"}
        session = self._sessions[endpoint.scheme]
        return await session.post(endpoint.url, data=body, headers=sent, allow_redirects=False)


async def _drain(response: aiohttp.ClientResponse) -> None:
    """Read a short answer to its end, which spares the receiver a reset; hang up on any other."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS_MAX):
            left = ANSWER_BYTES_MAX
            while left > 0:
                chunk = await response.content.read(left)
                if not chunk:
                    return
                left -= len(chunk)
    except (aiohttp.ClientError, OSError, TimeoutError):
        return  # the status has come, and that is the receipt


def _failure_of(error: Exception) -> DeliveryOutcome:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, AddressRefused):
            return DeliveryOutcome("refused_address", reason=str(cause))
        if isinstance(cause, ssl.SSLError | ssl.CertificateError):
            return DeliveryOutcome("insecure", reason="its certificate does not hold, or TLS failed")
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, aiohttp.ConnectionTimeoutError | aiohttp.ServerTimeoutError):
        return DeliveryOutcome("timeout", reason="no answer in time")
    return DeliveryOutcome("unreachable", reason=type(error).__name__)


def _retry_after(text: str | None) -> float | None:
    """Parse Retry-After (RFC 9110, 10.2.3): seconds or a date; None for anything else, and no longer than a day."""
    if text is None:
        return None
    if text.isascii() and text.isdigit() and len(text) <= 9:  # noqa: PLR2004 - thirty years of seconds
        return min(float(text), RETRY_AFTER_SECONDS_MAX)
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    aware = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return min(max(0.0, (aware - datetime.now(UTC)).total_seconds()), RETRY_AFTER_SECONDS_MAX)


@asynccontextmanager
async def open_sender(settings: WebhookSettings, lookup: AbstractResolver | None = None) -> AsyncIterator[Sender]:
    """Open a sender; `lookup` replaces the system's way to look names up."""
    async with AsyncExitStack() as opened:
        looks_up = lookup or ThreadedResolver()
        opened.push_async_callback(looks_up.close)
        sessions = {
            scheme: await opened.enter_async_context(_session(settings, VettedResolver(settings, scheme, looks_up)))
            for scheme in ("https", "http")
        }
        yield Sender(settings, sessions)


def _session(settings: WebhookSettings, resolver: VettedResolver) -> aiohttp.ClientSession:
    """Create a session whose connections are made for one attempt each.

    A kept connection would be to an address that was checked a while ago, and a receiver that has just closed it would
    look like one that failed.
    """
    connector = aiohttp.TCPConnector(
        resolver=resolver, use_dns_cache=False, limit=settings.webhook_deliveries_max, force_close=True
    )
    return aiohttp.ClientSession(
        connector=connector,
        trust_env=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        timeout=aiohttp.ClientTimeout(total=None),  # `Sender.post` keeps the time: its limit ends with the status
    )
