"""Routes that take messages: one at a time, or up to 500 with a result for each."""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from typing import TYPE_CHECKING, Annotated, Final, Literal

from fastapi import APIRouter, Header, Request, Response
from fastapi.routing import APIRoute
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import ClientDisconnect

from producer.gateway.access import Writer, check_writer, parts_of
from producer.gateway.limits import headers_of
from producer.gateway.problems import FieldError, Problem, Refused, refusal_of
from producer.sending.batching import Batching
from runtime.encoding import dump_json
from schema.channels import Channel
from schema.errors import FteError, InvalidMessage
from schema.messages.inbound import (
    INBOUND_BYTES_MAX,
    METADATA_ENTRIES_MAX,
    SUBJECT_CHARACTERS_MAX,
    TEXT_CHARACTERS_MAX,
    Inbound,
    MetadataKey,
    MetadataValue,
)
from schema.messages.receipt import Receipt
from schema.messages.wire import SENDER_CHARACTERS_MAX, ConversationId, MessageId, TenantId

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from starlette.types import Message, Receive, Scope, Send

    from producer.gateway.parts import Parts
    from runtime.api_keys import Principal
    from runtime.database import Database

BATCH_MESSAGES_MAX: Final = 500
MESSAGE_BYTES_MAX: Final = INBOUND_BYTES_MAX
BATCH_BYTES_MAX: Final = 4_000_000
ASKING_MAX: Final = 2
"""Questions to PostgreSQL under way about conversations that are not known here."""
_KNOWN_MAX: Final = 100_000
IDEMPOTENCY_KEY_PATTERN: Final = r'^([!#-~][!-~]{0,255}|"([!#-\[\]-~]|\\["\\]){1,256}")$'
"""A message id that begins with no quote, or any as a string of RFC 8941."""

router = APIRouter(prefix="/v1", tags=["messages"])


class NewMessage(BaseModel):
    """One message of a customer; fields that are not listed are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Literal[1] = 1
    message_id: MessageId | None = Field(
        default=None, description="your id of the message, answered once; else the header Idempotency-Key"
    )
    tenant: TenantId | None = Field(default=None, description="the key's tenant, and no other")
    conversation: ConversationId
    channel: Channel
    sender: str = Field(
        min_length=1,
        max_length=SENDER_CHARACTERS_MAX,
        pattern=r"^[^\x00-\x1f\x7f-\x9f]+$",
        description="the customer's address on the channel",
    )
    text: str = Field(min_length=1, max_length=TEXT_CHARACTERS_MAX, pattern=r"\S")
    subject: str | None = Field(default=None, max_length=SUBJECT_CHARACTERS_MAX)
    sent_at: AwareDatetime | None = Field(default=None, description="RFC 3339, with an offset")
    metadata: dict[MetadataKey, MetadataValue] = Field(default_factory=dict, max_length=METADATA_ENTRIES_MAX)


class BatchMessage(NewMessage):
    """One message of a batch; it names its id itself."""

    message_id: MessageId = Field(description="your id of the message, answered once")


class Batch(BaseModel):
    """Messages to be accepted in the order given."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    messages: list[BatchMessage] = Field(min_length=1, max_length=BATCH_MESSAGES_MAX)


class BatchResult(BaseModel):
    """What became of one message of a batch: a receipt or a problem."""

    message_id: MessageId
    receipt: Receipt | None = None
    problem: Problem | None = None


class BatchResults(BaseModel):
    """What became of a batch, in its order."""

    results: list[BatchResult]


class KnownConversations:
    """Remembers which conversations exist, so that a message of one costs no question to PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._asking: Batching[tuple[str, str], bool] = Batching(
            self._ask, in_flight_max=ASKING_MAX, items_max=BATCH_MESSAGES_MAX
        )

    async def count_new(self, tenant: str, names: Sequence[str]) -> int:
        """Return how many of these conversations do not exist yet."""
        unsure = sorted({name for name in names if (tenant, name) not in self._known})
        if not unsure:
            return 0
        return (await asyncio.gather(*(self._asking.submit((tenant, name)) for name in unsure))).count(False)

    def add(self, tenant: str, names: Iterable[str]) -> None:
        """Remember conversations that exist."""
        for name in names:
            self._known[tenant, name] = None
            self._known.move_to_end((tenant, name))
        while len(self._known) > _KNOWN_MAX:
            self._known.popitem(last=False)

    async def close(self) -> None:
        """Wait for what is under way."""
        await self._asking.finish()

    async def _ask(self, asked: Sequence[tuple[str, str]]) -> list[bool]:
        """Ask PostgreSQL which of these exist, with one question for each tenant."""
        found: set[tuple[str, str]] = set()
        for tenant in {tenant for tenant, _ in asked}:
            names = sorted({name for of, name in asked if of == tenant})
            rows = await self._database.read(tenant, "find_conversations", tenant=tenant, conversations=names)
            existing = [row["conversation_id"] for row in rows]
            self.add(tenant, existing)
            found.update((tenant, name) for name in existing)
        return [one in found for one in asked]


class PlainMessageRoute(APIRoute):
    """Answers a plain message by itself; FastAPI's own way, for all others, costs as much as all the rest of a send.

    Whatever is not plain goes that way: another media type, the header Idempotency-Key, and all that is to be refused.
    """

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        request = Request(scope, receive, send)
        headers = request.headers
        if (
            scope["method"] != "POST"
            or headers.get("content-type") != "application/json"
            or "idempotency-key" in headers
        ):
            await super().handle(scope, receive, send)
            return
        try:
            body = await request.body()
        except ClientDisconnect:
            return
        try:
            message = NewMessage.model_validate_json(body)
        except ValidationError:
            await super().handle(scope, _received_again(body, receive), send)
            return
        response = await send_message(request, message, await check_writer(request))
        await response(scope, receive, send)


def _received_again(body: bytes, receive: Receive) -> Receive:
    """Return what gives a body that has been read to one who reads it anew, and then what comes after it."""
    unread: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_again() -> Message:
        return unread.pop() if unread else await receive()

    return receive_again


IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern=IDEMPOTENCY_KEY_PATTERN,
        description='the message id where the body has none, as it is or in quotes: "8e03978e"; one of the two must be '
        "there, and both must be equal where both are (422)",
    ),
]


async def send_message(
    request: Request, message: NewMessage, principal: Writer, idempotency_key: IdempotencyKey = None
) -> Response:
    """Accept a message. A receipt means that it ends answered, or parked where people see it.

    Send it again whenever you are in doubt: the same message id of a tenant gives the first receipt, with status 200.
    """
    parts = parts_of(request)
    inbound = _inbound(message, principal, _message_id(message, idempotency_key))
    headers = await _take(request, parts, principal, [inbound])
    receipt = await parts.producer.send(inbound)
    request.app.state.conversations.add(principal.tenant, {receipt.conversation})
    status = 202 if receipt.status == "accepted" else 200
    return Response(receipt.model_dump_json(), status, headers=headers, media_type="application/json")


router.add_api_route(
    "/messages",
    send_message,
    methods=["POST"],
    status_code=202,
    response_model=Receipt,
    summary="Hand in one message",
    responses={200: {"model": Receipt, "description": "Accepted before under this id; this is its first receipt"}},
    route_class_override=PlainMessageRoute,
)


@router.post("/messages/batch", response_model=BatchResults, summary="Hand in up to 500 messages")
async def send_batch(request: Request, batch: Batch, principal: Writer) -> Response:
    """Accept messages in the order given, with a result for each.

    A message that is refused does not affect the others, but nothing overtakes it: later ones of its conversation are
    refused with it.
    """
    parts = parts_of(request)
    inbounds = [_inbound(message, principal, message.message_id) for message in batch.messages]
    headers = await _take(request, parts, principal, inbounds)
    outcomes = await parts.producer.send_many(inbounds)
    request.app.state.conversations.add(
        principal.tenant, {one.conversation for one in outcomes if isinstance(one, Receipt)}
    )
    request_id = request.state.request_id
    results = [_result(inbound, outcome, request_id) for inbound, outcome in zip(inbounds, outcomes, strict=True)]
    return Response(dump_json({"results": results}), headers=headers, media_type="application/json")


async def _take(request: Request, parts: Parts, principal: Principal, inbounds: Sequence[Inbound]) -> dict[str, str]:
    """Take allowance for messages, and return the RateLimit headers; raises Refused, UnknownTenant, TenantSuspended."""
    known: KnownConversations = request.app.state.conversations
    settings = await parts.tenants.settings(principal.tenant)
    for inbound in inbounds:
        if inbound.channel not in settings.channels:
            raise _wrong("channel", f"this tenant takes messages on {', '.join(settings.channels)}")
    new = await known.count_new(principal.tenant, [inbound.conversation for inbound in inbounds])
    balances = await parts.limits.take(principal, settings.limits, messages=len(inbounds), conversations=new)
    return headers_of(balances)


def _inbound(message: NewMessage, principal: Principal, message_id: str) -> Inbound:
    if message.tenant is not None and message.tenant != principal.tenant:
        raise Refused(
            "forbidden", f"this key is for the tenant {principal.tenant}; leave `tenant` out, or send that one"
        )
    fields = message.model_dump()
    try:
        return Inbound.model_validate(fields | {"tenant": principal.tenant, "message_id": message_id})
    except ValueError:  # all that the schema cannot say: text that is no Unicode
        raise InvalidMessage("message", "not valid Unicode", "JSON in UTF-8") from None


def _message_id(message: NewMessage, idempotency_key: str | None) -> str:
    """Return the message's id: its own, else the header's. Raises Refused when there is none, or when they differ."""
    if idempotency_key is None:
        if message.message_id is None:
            raise _wrong("message_id", "missing; give message_id, or its value in the header Idempotency-Key")
        return message.message_id
    given = idempotency_key
    if given.startswith('"'):
        given = re.sub(r'\\(["\\])', r"\1", given[1:-1])
    if message.message_id is not None and message.message_id != given:
        raise _wrong("message_id", "differs from the header Idempotency-Key; send one of them")
    return given


def _wrong(field: str, detail: str) -> Refused:
    return Refused("invalid-request", f"{field}: {detail}", errors=[FieldError(pointer=f"#/{field}", detail=detail)])


def _result(inbound: Inbound, outcome: Receipt | FteError, request_id: str) -> dict[str, object]:
    if isinstance(outcome, Receipt):
        return {"message_id": inbound.message_id, "receipt": outcome.model_dump()}
    refused = refusal_of(outcome)
    if refused is None:
        raise outcome
    return {"message_id": inbound.message_id, "problem": refused.problem(request_id)}
