"""Go through the HTTP gateway as a client does: messages by POST, replies and escalations by server-sent events."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import aiohttp
from pydantic import BaseModel

from producer.collecting.entries import StreamEntry
from producer.sending.batching import Batching
from runtime.cancelling import cancel_and_wait
from runtime.encoding import dump_json
from schema.errors import FteError
from schema.messages.escalation import Escalation
from schema.messages.receipt import Receipt
from schema.messages.reply import Reply

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from schema.messages.inbound import Inbound

READ_SECONDS = 0.5
RECONNECT_SECONDS = 0.2
ACKNOWLEDGE_SECONDS = 1.0
RETRY_SECONDS = 1.0
"""When to send again what is refused for now without a word of when."""

BATCH_MESSAGES_MAX = 500
"""As the gateway's contract says."""

REQUESTS_MAX = 2
"""Requests with messages under way; what comes meanwhile goes together in the next: single messages at low rates."""

_REFUSED_FOR_NOW = (429, 503)


@dataclass(frozen=True, slots=True)
class GatewayAccess:
    """Where the gateway is, an API key for it, and the name of the cursor to read from."""

    url: str
    key: str
    cursor: str


class TryLater(FteError):
    """The gateway refused a message for now, or could not be reached."""

    def __init__(self, reason: str, retry_after_seconds: float) -> None:
        super().__init__(f"the gateway: {reason}")
        self.retry_after_seconds = retry_after_seconds


class _Problem(BaseModel):
    status: int
    detail: str = ""


class _Result(BaseModel):
    receipt: Receipt | None = None
    problem: _Problem | None = None

    def outcome(self) -> Receipt | FteError:
        """Return the receipt, or the error that says why there is none."""
        if self.receipt is not None:
            return self.receipt
        status, detail = (
            (self.problem.status, self.problem.detail) if self.problem else (0, "neither receipt nor problem")
        )
        if status in _REFUSED_FOR_NOW:
            return TryLater(detail, RETRY_SECONDS)
        return FteError(f"the gateway answered {status}: {detail}")


class _Results(BaseModel):
    results: list[_Result]


class HttpGateway:
    """A client of the HTTP gateway that sends, follows and acknowledges."""

    def __init__(self, access: GatewayAccess, *, follows: bool = True) -> None:
        """Take where it is; `follows` False: it sends alone, and somebody else follows."""
        self._access = access
        self._follows = follows
        self._opened = AsyncExitStack()
        self._sending: Batching[Inbound, Receipt | FteError] = Batching(
            self._send_together, in_flight_max=REQUESTS_MAX, items_max=BATCH_MESSAGES_MAX
        )
        self._senders: aiohttp.ClientSession | None = None
        self._readers: aiohttp.ClientSession | None = None
        self._last_ids: dict[str, str] = {}
        self._entries: asyncio.Queue[StreamEntry] = asyncio.Queue()
        self._following: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        """Connect, and follow replies and escalations from now on, unless it sends alone."""
        # Two of them: what reads must not wait for a connection behind all the messages that are to be sent.
        self._senders = await self._connect()
        if not self._follows:
            return self
        self._readers = session = await self._connect()
        for path, model in (("replies", Reply), ("escalations", Escalation)):
            # An answered read has made the cursor, so nothing that is published from now on is missed.
            async with session.get(f"/v1/{path}", params=self._parameters()) as answer:
                answer.raise_for_status()
            self._following.append(asyncio.create_task(self._follow(path, model)))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop following, and disconnect."""
        await cancel_and_wait(*self._following)
        await self._opened.aclose()

    async def send(self, message: Inbound, /) -> Receipt:
        """Hand in one message; raises TryLater when it is refused for now."""
        outcome = await self._sending.submit(message)
        if isinstance(outcome, FteError):
            raise outcome
        return outcome

    async def read(self) -> list[StreamEntry]:
        """Return new entries; an empty list after READ_SECONDS without any. Raises what ended the reading."""
        for following in self._following:
            if following.done():
                following.result()
        try:
            async with asyncio.timeout(READ_SECONDS):
                entries = [await self._entries.get()]
        except TimeoutError:
            return []
        while not self._entries.empty():
            entries.append(self._entries.get_nowait())
        return entries

    async def _send_together(self, messages: Sequence[Inbound]) -> list[Receipt | FteError]:
        """Hand in messages with one request; return a receipt or an error for each."""
        bodies = [message.model_dump_json(exclude={"tenant"}, exclude_none=True) for message in messages]
        alone = len(bodies) == 1
        path, body = ("messages", bodies[0]) if alone else ("messages/batch", f'{{"messages":[{",".join(bodies)}]}}')
        try:
            text = await self._post(path, body)
        except FteError as error:
            return [error] * len(messages)
        if alone:
            return [Receipt.model_validate_json(text)]
        return [result.outcome() for result in _Results.model_validate_json(text).results]

    async def _post(self, path: str, body: str) -> str:
        """Post JSON and return the answer's text; raises TryLater, and FteError for any other refusal."""
        headers = {"Content-Type": "application/json"}
        try:
            async with _opened(self._senders).post(f"/v1/{path}", data=body, headers=headers) as answer:
                text = await answer.text()
                if answer.status in _REFUSED_FOR_NOW:
                    raise TryLater(text, float(answer.headers.get("Retry-After", RETRY_SECONDS)))
                if not answer.ok:
                    raise FteError(f"the gateway answered {answer.status}: {text}")
        except (aiohttp.ClientError, OSError) as error:
            raise TryLater(type(error).__name__, RECONNECT_SECONDS) from None
        return text

    async def _connect(self) -> aiohttp.ClientSession:
        session = aiohttp.ClientSession(
            self._access.url,
            headers={"Authorization": f"Bearer {self._access.key}"},
        )
        return await self._opened.enter_async_context(session)

    def _parameters(self) -> dict[str, str]:
        return {"cursor": self._access.cursor, "begin": "newest", "limit": "1"}

    async def _follow(self, path: str, model: type[Reply | Escalation]) -> None:
        while True:
            try:
                await self._stream(path, model)
            except (aiohttp.ClientError, OSError) as error:
                if isinstance(error, aiohttp.ClientResponseError) and error.status not in _REFUSED_FOR_NOW:
                    raise
                await asyncio.sleep(RECONNECT_SECONDS)

    async def _stream(self, path: str, model: type[Reply | Escalation]) -> None:
        """Read one stream until it ends, from where the last one ended."""
        last_id = self._last_ids.get(path)
        headers = {"Accept": "text/event-stream", **({"Last-Event-ID": last_id} if last_id else {})}
        no_limit = aiohttp.ClientTimeout(total=None, sock_read=60)
        async with _opened(self._readers).get(
            f"/v1/{path}", params={"cursor": self._access.cursor}, headers=headers, timeout=no_limit, read_bufsize=2**20
        ) as answer:
            answer.raise_for_status()
            event_id = ""
            acknowledge_at = 0.0
            async for line in answer.content:
                name, _, value = line.decode().rstrip("\n").partition(": ")
                if name == "id":
                    event_id = value
                elif name == "data":
                    self._entries.put_nowait(_entry(path, event_id, model.model_validate_json(value)))
                    self._last_ids[path] = event_id
                    if time.monotonic() >= acknowledge_at:
                        await self._acknowledge(path, event_id)
                        acknowledge_at = time.monotonic() + ACKNOWLEDGE_SECONDS

    async def _acknowledge(self, path: str, last_id: str) -> None:
        body = dump_json({"id": last_id, "cursor": self._access.cursor})
        async with _opened(self._readers).post(
            f"/v1/{path}/ack", data=body, headers={"Content-Type": "application/json"}
        ) as answer:
            answer.raise_for_status()


def _opened(session: aiohttp.ClientSession | None) -> aiohttp.ClientSession:
    if session is None:
        raise RuntimeError("not open: async with HttpGateway(…)")
    return session


def _entry(path: str, event_id: str, body: Reply | Escalation) -> StreamEntry:
    name, sequence = (body.reply_id, body.sequence) if isinstance(body, Reply) else (body.ticket_id, 0)
    return StreamEntry(
        stream=path,
        entry_id=event_id,
        id=name,
        conversation=body.conversation,
        sequence=sequence,
        body=body,
    )
