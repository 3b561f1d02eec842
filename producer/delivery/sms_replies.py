"""Send replies as text messages over a provider's HTTP API, and find out what became of one whose answer was lost."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import httpx2

from producer.channels.sms import api
from producer.channels.sms.segments import ask_for_more, cut_messages
from producer.delivery.reply_channel import ComposedPart, SendKind, SendOutcome
from producer.delivery.schedule import RetrySchedule

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from producer.delivery.reply_channel import OutgoingPart, ReplyRoute
    from producer.delivery.reply_deliverer import ChannelParts
    from runtime.channel_accounts import ChannelAccount
    from runtime.database import Database
    from schema.channels import Channel
    from schema.messages.reply import Reply

SEGMENTS_EACH_MAX: Final = 4
"""Segments of one message: longer ones are often put together wrongly, or late."""

SECONDS_MAX: Final = 15.0
CONNECT_SECONDS_MAX: Final = 5.0
PAGES_MAX: Final = 5
"""Pages of the provider's list that are read for one message, of 200 each."""

LISTED_AFTER: Final = timedelta(seconds=60)
"""How long after an attempt the provider's list is sure to hold its message: until then its absence says nothing."""

CLOCK_SLACK: Final = timedelta(seconds=120)
"""How far the provider's clock may be behind ours."""

ASK_AGAIN_SECONDS: Final = 20.0
"""When to ask again about a message that may have got there."""

REPEAT_SECONDS: Final = 120.0
"""After how long a message is sent again that was reported as not delivered, for a reason that may pass."""

ATTEMPTS_AFTER_FAILURE_MAX: Final = 2

SCHEDULE: Final = RetrySchedule((5.0, 20.0, 60.0, 180.0, 600.0, 1_800.0, 3_600.0), timedelta(hours=4))
"""An answer that is hours late is worth nothing by text message: a person is told instead."""

_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True)
class SmsReplies:
    """The channel of text messages: `producer.delivery.reply_channel.ReplyChannel`."""

    database: Database
    client: httpx2.AsyncClient
    name: Channel = "sms"
    schedule: RetrySchedule = SCHEDULE
    send_seconds_max: float = SECONDS_MAX * 2

    async def compose(self, reply: Reply, route: ReplyRoute) -> Sequence[ComposedPart]:
        """Cut a reply into messages: so many are sent at once, and the last of them says how to get the rest."""
        segments_max: int = route.account.settings.segments_max
        messages = cut_messages(reply.text, segments_each_max=min(SEGMENTS_EACH_MAX, segments_max))
        if not messages:
            raise ValueError("nothing is left of it that a text message can hold")
        batches = ask_for_more(messages, segments_max=segments_max)
        return [ComposedPart(text, number) for number, batch in enumerate(batches, 1) for text in batch]

    async def send(self, part: OutgoingPart, route: ReplyRoute) -> SendOutcome:
        """Post one message. An answer that does not come, or makes no sense, leaves it unknown."""
        account = route.account
        form = api.write_form(
            account.settings,
            recipient=part.recipient,
            own_address=route.own_address,
            own_group=route.own_group,
            text=part.content,
            callback=api.status_url(
                account.settings, account.tenant, account.account_id, reply_id=part.reply_id, part=part.number
            ),
        )
        try:
            check_api_url(account.settings.api_url)
            async with asyncio.timeout(SECONDS_MAX):
                response = await self.client.post(api.messages_url(account.settings), data=form, auth=_auth(account))
        except UnsafeApiUrl as error:
            return SendOutcome("stopped", code="api_url", reason=str(error))
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout) as error:
            return SendOutcome("retry", code="unreachable", reason=f"no connection: {type(error).__name__}")
        except (httpx2.HTTPError, TimeoutError) as error:
            reason = f"no answer: {type(error).__name__}"
            return SendOutcome("unknown", code="no answer", reason=reason, after_seconds=ASK_AGAIN_SECONDS)
        return _outcome_of(api.read_answer(response.status_code, response.headers, _json_of(response)))

    def read_failure(self, code: str, attempts: int) -> SendOutcome:
        """Tell what an error in a status callback asks for; what may pass is tried a second time, minutes later."""
        number = int(code) if code.isdigit() else None
        answer = api.ApiAnswer(api.meaning_of(number), code=number)
        if answer.meaning == "retry" and attempts < ATTEMPTS_AFTER_FAILURE_MAX:
            return SendOutcome("retry", code=code, reason=answer.reason, after_seconds=REPEAT_SECONDS)
        kind: SendKind = "suppressed" if answer.meaning == "suppressed" else "failed"
        return SendOutcome(kind, code=code, reason=answer.reason if number is not None else f"reported as {code}")

    async def resolve(self, part: OutgoingPart, route: ReplyRoute) -> SendOutcome:
        """Look for a message among those that the provider lists for its recipient.

        A status callback may have told by now: then the part is settled, and nobody asks here. What the list does not
        hold LISTED_AFTER the attempt never got there.
        """
        try:
            async with asyncio.timeout(SECONDS_MAX):
                found = await self._find(part, route)
        except (httpx2.HTTPError, TimeoutError, ValueError) as error:
            reason = f"the provider's list cannot be read: {type(error).__name__}"
            return SendOutcome("unknown", code="list", reason=reason, after_seconds=ASK_AGAIN_SECONDS)
        if found is not None:
            return SendOutcome("accepted", provider_id=found.message_sid)
        if part.now - part.begun_at < LISTED_AFTER:
            return SendOutcome("unknown", code="not listed yet", reason="not listed", after_seconds=ASK_AGAIN_SECONDS)
        return SendOutcome("absent", code="not listed")

    async def _find(self, part: OutgoingPart, route: ReplyRoute) -> api.ListedMessage | None:
        """Search the pages of the list, the newest message first."""
        account = route.account
        check_api_url(account.settings.api_url)
        not_before = part.begun_at - CLOCK_SLACK
        rows = await self.database.read(
            account.tenant,
            "find_provider_ids",
            tenant=account.tenant,
            account_id=account.account_id,
            sender_key=route.sender_key,
            since=not_before,
        )
        known = frozenset(row["provider_id"] for row in rows)
        filters = {"To": part.recipient, "DateSent>": not_before.date().isoformat()}
        url: str | None = api.list_url(account.settings, **filters)
        for _ in range(PAGES_MAX):
            if url is None:
                return None
            response = await self.client.get(url, auth=_auth(account))
            response.raise_for_status()
            listed, following = api.read_list(_json_of(response))
            found = api.find_sent(
                listed, recipient=part.recipient, body=part.content, not_before=not_before, known=known
            )
            if found is not None:
                return found
            url = account.settings.api_url + following if following is not None else None
        return None


class UnsafeApiUrl(ValueError):
    """An API without encryption that is not on loopback: credentials and messages would cross a network in clear."""

    def __init__(self, host: str) -> None:
        super().__init__(f"api_url: {host} is reached without encryption, which is for loopback alone; use https")


def check_api_url(url: str) -> None:
    """Check that credentials go to an API over TLS, or nowhere but to this machine; raises UnsafeApiUrl."""
    parts = urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
        raise UnsafeApiUrl(parts.hostname or "the host")


@asynccontextmanager
async def open_sms(parts: ChannelParts) -> AsyncIterator[SmsReplies]:
    """Open the way to providers of text messages."""
    timeout = httpx2.Timeout(SECONDS_MAX, connect=CONNECT_SECONDS_MAX)
    async with httpx2.AsyncClient(timeout=timeout, trust_env=False, follow_redirects=False) as client:
        yield SmsReplies(parts.database, client)


def _auth(account: ChannelAccount) -> tuple[str, str]:
    return api.credentials_of(account.settings, account.secrets)


def _json_of(response: httpx2.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return None


def _outcome_of(answer: api.ApiAnswer) -> SendOutcome:
    code = None if answer.code is None else str(answer.code)
    after = ASK_AGAIN_SECONDS if answer.meaning == "unknown" else 0.0
    return SendOutcome(
        answer.meaning,
        provider_id=answer.message_sid,
        code=code,
        reason=answer.reason,
        after_seconds=after,
        pause_seconds=answer.pause_seconds,
    )
