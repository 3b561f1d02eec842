"""Routes that show a conversation: how it stands, and what was said, masked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from fastapi import APIRouter, Header, Path, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from producer.gateway.access import Reader, parts_of
from producer.gateway.problems import Refused
from schema.ids import CONVERSATION_PATTERN
from schema.messages.wire import ConversationId
from schema.session_items import text_of

if TYPE_CHECKING:
    from producer.gateway.parts import Parts
    from runtime.database import Row
    from runtime.sealing import Sealer

PAGE_MESSAGES_MAX: Final = 100
_ORDINAL_MAX: Final = 2**63 - 1

router = APIRouter(prefix="/v1", tags=["conversations"])


class Conversation(BaseModel):
    """How a conversation stands."""

    conversation: ConversationId
    owner: Literal["bot", "human"] = Field(description="who answers it now")
    last_agent: str | None = Field(description="the agent that answered last")
    accepted: int = Field(ge=0, description="messages accepted so far")
    waiting: int = Field(ge=0, description="of these, not answered yet")
    replies: int = Field(ge=0, description="replies so far, in the order of their sequence")
    version: int = Field(ge=0, description="grows with each turn, takeover and hand-back")
    created_at: AwareDatetime
    updated_at: AwareDatetime


class TranscriptMessage(BaseModel):
    """One message of a transcript; values that are private stand as placeholders, such as [PHONE_1]."""

    ordinal: int = Field(ge=1, description="ascends within the conversation")
    role: Literal["customer", "agent"]
    agent: str | None = Field(description="the agent that ended the turn; of customers null")
    text: str
    turn: int = Field(ge=0)
    created_at: AwareDatetime


class TranscriptPage(BaseModel):
    """Messages of a conversation, oldest first."""

    messages: list[TranscriptMessage]
    next_after: int | None = Field(description="give it as `after` for the next page; null: there is none yet")


class _WantedPage(BaseModel):
    model_config = ConfigDict(extra="forbid")

    after: int = Field(default=0, ge=0, le=_ORDINAL_MAX, description="the ordinal that the page begins after")
    limit: int = Field(default=50, ge=1, le=PAGE_MESSAGES_MAX)


ConversationPath = Annotated[str, Path(pattern=CONVERSATION_PATTERN, description="the conversation's id")]
IfNoneMatch = Annotated[str | None, Header(alias="If-None-Match", max_length=1_000)]
_NOT_MODIFIED: Final[dict[int | str, dict[str, Any]]] = {
    304: {"description": "Unchanged since the ETag in If-None-Match"}
}


@router.get(
    "/conversations/{conversation}",
    response_model=Conversation,
    summary="How a conversation stands",
    responses=_NOT_MODIFIED,
)
async def read_conversation(
    request: Request, conversation: ConversationPath, principal: Reader, if_none_match: IfNoneMatch = None
) -> Response:
    """Return how a conversation stands now."""
    row = await _find(parts_of(request), principal.tenant, conversation)
    etag = f'"{row["version"]}.{row["accepted"]}"'
    if _matches(if_none_match, etag):
        return _unchanged(etag)
    shown = Conversation.model_validate({"conversation": conversation, **row})
    return Response(shown.model_dump_json(), headers=_fresh(etag), media_type="application/json")


@router.get(
    "/conversations/{conversation}/messages",
    response_model=TranscriptPage,
    summary="What was said, masked",
    responses=_NOT_MODIFIED,
)
async def list_messages(
    request: Request,
    conversation: ConversationPath,
    principal: Reader,
    wanted: Annotated[_WantedPage, Query()],
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Return a page of the conversation's messages. Ordinals ascend, and not by one: tool calls have theirs between."""
    row = await _find(parts_of(request), principal.tenant, conversation)
    etag = f'"{row["version"]}.{row["last_item"]}.{wanted.after}.{wanted.limit}"'
    if _matches(if_none_match, etag):
        return _unchanged(etag)
    rows = await parts_of(request).database.read(
        principal.tenant,
        "list_messages",
        tenant=principal.tenant,
        conversation=conversation,
        after=wanted.after,
        rows_max=wanted.limit + 1,
    )
    sealer = parts_of(request).sealer
    messages = [_message(row, sealer) for row in rows[: wanted.limit]]
    page = TranscriptPage(messages=messages, next_after=messages[-1].ordinal if len(rows) > wanted.limit else None)
    return Response(page.model_dump_json(), headers=_fresh(etag), media_type="application/json")


async def _find(parts: Parts, tenant: str, conversation: str) -> Row:
    rows = await parts.database.read(tenant, "read_conversation", tenant=tenant, conversation=conversation)
    if not rows:
        raise Refused("not-found", "this tenant has no such conversation; it begins with its first message")
    return rows[0]


def _message(row: Row, sealer: Sealer) -> TranscriptMessage:
    content = row["content"]
    if row["sealed"] is not None:
        content = sealer.open_item({"sealed": row["sealed"]}).get("content")
    is_customer = row["role"] == "user"
    return TranscriptMessage(
        ordinal=row["ordinal"],
        role="customer" if is_customer else "agent",
        agent=None if is_customer else row["agent"],
        text=text_of(content),
        turn=row["turn"],
        created_at=row["created_at"],
    )


def _matches(if_none_match: str | None, etag: str) -> bool:
    if if_none_match is None:
        return False
    given = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return "*" in given or etag in given


def _fresh(etag: str) -> dict[str, str]:
    return {"ETag": etag, "Cache-Control": "private, no-cache"}


def _unchanged(etag: str) -> Response:
    return Response(status_code=304, headers=_fresh(etag))
