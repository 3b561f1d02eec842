"""Routes that give out replies, escalations and events, as server-sent events or as a long poll, until acknowledged."""

from __future__ import annotations

import asyncio
import random
import time
from typing import TYPE_CHECKING, Annotated, Any, Final, Generic, Literal, TypeVar

import structlog
from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from producer.gateway.access import Collector, check_tenant, parts_of
from producer.gateway.cursors import (
    ENTRIES_MAX,
    PLACE_CHARACTERS_MAX,
    PLACE_PATTERN,
    Kind,
    parse_place,
    sources_of,
    write_place,
)
from producer.gateway.event_stream import PING, EventStream, encode_event
from producer.gateway.metrics import STREAMS
from runtime.encoding import dump_json
from runtime.outage import is_redis_away
from schema.channels import Channel
from schema.errors import FteError, ServerUnreachable
from schema.keys import cursor_group
from schema.messages.escalation import Escalation
from schema.messages.event import Event
from schema.messages.reply import Reply

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from producer.gateway.cursors import FoundEntries, Sources
    from producer.gateway.limits import HeldStream
    from producer.gateway.parts import Parts
    from runtime.api_keys import Principal

PING_SECONDS: Final = 15.0
CHECK_SECONDS: Final = 0.5
"""How often a stream looks whether its key still holds; what a key's refusal takes beyond the view of keys."""
LIFETIME_SECONDS: Final = 900.0
"""After which a stream ends, so that clients spread over processes that were added; they resume at once."""
LIFETIME_JITTER_SECONDS: Final = 60.0
WAIT_SECONDS_MAX: Final = 30
AWAY_SECONDS: Final = 0.5
REREAD_SECONDS: Final = 2.0
"""How often to read without news: for a cursor that was set aside, whose entries come from PostgreSQL."""
RETRY_MS: Final = 1_000

CURSOR_PATTERN: Final = r"^[A-Za-z0-9_-]{1,64}$"

Body = TypeVar("Body", Reply, Escalation, Event)

router = APIRouter(prefix="/v1", tags=["outbound"])
_log = structlog.get_logger("fte.gateway")


class Entry(BaseModel, Generic[Body]):
    """One entry and its place."""

    id: str = Field(description="where to go on from after it: `after`, Last-Event-ID, or what is acknowledged")
    body: Body


class Page(BaseModel, Generic[Body]):
    """Entries in order, oldest first; none when nothing came in time."""

    entries: list[Entry[Body]]
    next_after: str = Field(description="give it as `after` to go on from here")


class Acknowledgement(BaseModel):
    """What a reader has dealt with."""

    model_config = ConfigDict(extra="forbid")

    id: str = Field(
        max_length=PLACE_CHARACTERS_MAX,
        pattern=PLACE_PATTERN,
        description="of the last entry that was dealt with; everything before it counts too",
    )
    cursor: str | None = Field(default=None, pattern=CURSOR_PATTERN, description="the cursor; default: the key's own")


class Acknowledged(BaseModel):
    """Up to where everything is acknowledged now."""

    id: str


CursorName = Annotated[
    str | None,
    Query(
        alias="cursor",
        pattern=CURSOR_PATTERN,
        description="a name for the reader's place, shared by the keys of the tenant; default: the key's own",
    ),
]
After = Annotated[
    str | None,
    Query(
        max_length=PLACE_CHARACTERS_MAX,
        pattern=f"^$|{PLACE_PATTERN}",
        description="an entry's `id`; default: what is acknowledged, or the beginning",
    ),
]
WaitSeconds = Annotated[
    float, Query(ge=0, le=WAIT_SECONDS_MAX, description="how long to wait for the first entry; long poll only")
]
Limit = Annotated[int, Query(ge=1, le=ENTRIES_MAX, description="most entries of one answer; long poll only")]
LastEventId = Annotated[
    str | None, Header(alias="Last-Event-ID", max_length=PLACE_CHARACTERS_MAX, pattern=f"^$|{PLACE_PATTERN}")
]
Accept = Annotated[str, Header(description="text/event-stream for a stream; anything else for a long poll")]

_STREAM: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}
}


Begin = Annotated[
    Literal["oldest", "newest"],
    Query(description="where a cursor begins that is new: with all that is still there, or with what comes next"),
]


class _Wanted(BaseModel):
    """What a reader asks for, as the query says it; a parameter that is not listed is refused."""

    model_config = ConfigDict(extra="forbid")

    cursor: CursorName = None
    after: After = None
    wait_seconds: WaitSeconds = 0
    limit: Limit = ENTRIES_MAX
    begin: Begin = "oldest"


class _WantedReplies(_Wanted):
    channel: Annotated[Channel | None, Query(description="only replies on this channel")] = None


@router.get("/replies", response_model=Page[Reply], summary="Replies to customers", responses=_STREAM)
async def read_replies(
    request: Request,
    principal: Collector,
    wanted: Annotated[_WantedReplies, Query()],
    accept: Accept = "*/*",
    last_event_id: LastEventId = None,
) -> Response:
    """Give out replies at least once, in order within each conversation, until they are acknowledged."""
    return await _Reading(request, principal, "replies", wanted, channel=wanted.channel).answer(accept, last_event_id)


@router.get("/escalations", response_model=Page[Escalation], summary="Tickets for people", responses=_STREAM)
async def read_escalations(
    request: Request,
    principal: Collector,
    wanted: Annotated[_Wanted, Query()],
    accept: Accept = "*/*",
    last_event_id: LastEventId = None,
) -> Response:
    """Give out escalations at least once, in order within each conversation, until they are acknowledged."""
    return await _Reading(request, principal, "escalations", wanted).answer(accept, last_event_id)


@router.get("/events", response_model=Page[Event], summary="What happened", responses=_STREAM)
async def read_events(
    request: Request,
    principal: Collector,
    wanted: Annotated[_Wanted, Query()],
    accept: Accept = "*/*",
    last_event_id: LastEventId = None,
) -> Response:
    """Give out events at least once, in order within each conversation, until they are acknowledged."""
    return await _Reading(request, principal, "events", wanted).answer(accept, last_event_id)


@router.post("/replies/ack", response_model=Acknowledged, summary="Acknowledge replies")
async def acknowledge_replies(request: Request, ack: Acknowledgement, principal: Collector) -> Response:
    """Say that replies were dealt with, so that they are not given out again; never goes back."""
    return await _acknowledge(parts_of(request), principal, "replies", ack)


@router.post("/escalations/ack", response_model=Acknowledged, summary="Acknowledge escalations")
async def acknowledge_escalations(request: Request, ack: Acknowledgement, principal: Collector) -> Response:
    """Say that escalations were dealt with, so that they are not given out again; never goes back."""
    return await _acknowledge(parts_of(request), principal, "escalations", ack)


@router.post("/events/ack", response_model=Acknowledged, summary="Acknowledge events")
async def acknowledge_events(request: Request, ack: Acknowledgement, principal: Collector) -> Response:
    """Say that events were dealt with, so that they are not given out again; never goes back."""
    return await _acknowledge(parts_of(request), principal, "events", ack)


async def _acknowledge(parts: Parts, principal: Principal, kind: Kind, ack: Acknowledgement) -> Response:
    sources = sources_of(principal.tenant, kind, None, cursor_group(principal.key_id, ack.cursor))
    places = await parts.cursors.acknowledge(sources, parse_place(ack.id, sources, "id"))
    return Response(dump_json({"id": write_place(places)}), media_type="application/json")


class _Reading:
    """One reader of one kind of entries: as a stream, or as one page."""

    def __init__(
        self,
        request: Request,
        principal: Principal,
        kind: Kind,
        wanted: _Wanted,
        *,
        channel: str | None = None,
    ) -> None:
        self._request = request
        self._parts = parts_of(request)
        self._principal = principal
        self._kind: Kind = kind
        self._wanted = wanted
        self._sources: Sources = sources_of(
            principal.tenant, kind, channel, cursor_group(principal.key_id, wanted.cursor)
        )

    async def answer(self, accept: str, last_event_id: str | None) -> Response:
        """Answer with a stream where the client accepts one, else with a page."""
        settings = await self._parts.tenants.settings(self._principal.tenant)
        held = self._parts.limits.stream(self._principal, settings.limits)
        if "text/event-stream" in accept.lower():
            name = "Last-Event-ID" if last_event_id else "after"
            places = parse_place(last_event_id or self._wanted.after or "", self._sources, name)
            await self._read(places)  # makes the cursor, or refuses: once a stream has begun, nothing can be refused
            stream = await held.__aenter__()
            return EventStream(self._events(places, stream, held))
        places = parse_place(self._wanted.after or "", self._sources, "after")
        if not self._wanted.wait_seconds:
            return _page(await self._read(places))
        async with held:
            return _page(await self._wait(places))

    async def _wait(self, places: dict[str, str]) -> FoundEntries:
        """Read, and wait for the first entry as long as the client wants."""
        deadline = time.monotonic() + self._wanted.wait_seconds
        with STREAMS.track_inprogress(), self._parts.watch.reading(self._principal.tenant):
            while True:
                change = self._parts.watch.change(self._principal.tenant)
                found = await self._read(places)
                left = deadline - time.monotonic()
                if found.entries or left <= 0 or self._parts.stopping.is_set():
                    return found
                places = found.places
                await _first_of(change, self._parts.stopping, seconds=left)

    async def _read(self, places: dict[str, str]) -> FoundEntries:
        return await self._parts.cursors.read(
            self._sources, places, entries_max=self._wanted.limit, begin=_BEGIN[self._wanted.begin]
        )

    async def _events(self, places: dict[str, str], stream: HeldStream, held: Any) -> AsyncIterator[bytes]:
        """Yield events until the client leaves, its key stops, its time is up or this process stops."""
        try:
            yield f"retry: {RETRY_MS}\n\n".encode()
            with STREAMS.track_inprogress(), self._parts.watch.reading(self._principal.tenant):
                async for chunk in self._follow(places, stream):
                    yield chunk
        finally:
            await held.__aexit__(None, None, None)

    async def _follow(self, places: dict[str, str], stream: HeldStream) -> AsyncIterator[bytes]:
        lifetime = LIFETIME_SECONDS + random.uniform(0, LIFETIME_JITTER_SECONDS)  # noqa: S311 - spreads reconnects
        ends_at = time.monotonic() + lifetime
        ping_at = time.monotonic() + PING_SECONDS
        read_at = 0.0
        change = self._parts.watch.change(self._principal.tenant)
        while time.monotonic() < ends_at and not self._parts.stopping.is_set() and await self._may_go_on(stream):
            found = None
            if change.is_set() or time.monotonic() >= read_at:
                change = self._parts.watch.change(self._principal.tenant)
                found = await self._read_patiently(places)
                read_at = time.monotonic() + REREAD_SECONDS
            if found is not None:
                for event_id, entry in found.entries:
                    yield encode_event(data=entry.body.model_dump_json(), event=_EVENTS[self._kind], event_id=event_id)
                places = found.places
                if found.entries:
                    ping_at = time.monotonic() + PING_SECONDS
                if found.more:
                    read_at = 0.0
                    continue
            if time.monotonic() >= ping_at:
                yield PING
                ping_at = time.monotonic() + PING_SECONDS
            await _first_of(change, self._parts.stopping, seconds=CHECK_SECONDS)

    async def _read_patiently(self, places: dict[str, str]) -> FoundEntries | None:
        """Read; None while Redis is away, which a stream outlives."""
        try:
            return await self._read(places)
        except Exception as error:
            if not (isinstance(error, OSError) or is_redis_away(error)):
                raise
            await asyncio.sleep(AWAY_SECONDS)
            return None

    async def _may_go_on(self, stream: HeldStream) -> bool:
        """Check that the key and its tenant still hold; while PostgreSQL cannot be asked, they do."""
        state = self._request.state
        try:
            await self._parts.keys.verify(state.presented_key, state.address)
            await check_tenant(self._parts, self._principal)
            await stream.hold()
        except ServerUnreachable:
            return True
        except FteError as refused:
            _log.info("stream.ended", reason=type(refused).__name__, key_id=self._principal.key_id)
            return False
        return True


_BEGIN: Final = {"oldest": "0", "newest": "$"}
_EVENTS: Final[dict[Kind, str]] = {"replies": "reply", "escalations": "escalation", "events": "event"}


def _page(found: FoundEntries) -> Response:
    entries = ",".join(
        f'{{"id":{dump_json(place)},"body":{entry.body.model_dump_json()}}}' for place, entry in found.entries
    )
    text = f'{{"entries":[{entries}],"next_after":{dump_json(write_place(found.places))}}}'
    return Response(text, headers={"Cache-Control": "no-store"}, media_type="application/json")


async def _first_of(*events: asyncio.Event, seconds: float) -> None:
    """Wait until one of the events is set, for at most so many seconds."""
    waiting = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()
