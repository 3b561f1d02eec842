"""List the conversations of a desk, and show how one stands and what was done about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from ops.desk.desk import DeskState, state_of
from ops.desk.takeover import UnknownConversation
from ops.desk.transcript import SEALED_TEXT, read_transcript
from schema.errors import Unsealable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ops.desk.desk import Desk
    from ops.desk.roles import Who
    from ops.desk.transcript import Transcript
    from runtime.database import Row
    from runtime.sealing import Sealer
    from schema.ids import ConversationKey

View = Literal["all", "unassigned", "mine", "overdue", "snoozed", "resolved"]
VIEWS: Final[tuple[View, ...]] = get_args(View)

PAGE_MAX: Final = 200
HISTORY_MAX: Final = 1_000
"""Acts of one conversation that are read."""

_FIRST: Final = (datetime(1, 1, 1, tzinfo=UTC), "")
_LAST: Final = (datetime(9999, 12, 31, tzinfo=UTC), "\U0010ffff")


@dataclass(frozen=True)
class Filters:
    """Which conversations a list shows; what is None is not looked at."""

    category: str | None = None
    priority: str | None = None
    channel: str | None = None


@dataclass(frozen=True)
class InboxListing:
    """A page of a list, and where the next one begins; None: this is the last."""

    rows: list[Row]
    next_after: tuple[datetime, str] | None


@dataclass(frozen=True)
class Overview:
    """One conversation as people work on it: how it stands, what was said (masked), what was done."""

    state: DeskState
    transcript: Transcript
    history: list[dict[str, Any]]


async def list_inbox(
    desk: Desk,
    tenant: str,
    who: Who,
    view: View = "all",
    *,
    filters: Filters = Filters(),
    after: tuple[datetime, str] | None = None,
    limit: int = 50,
) -> InboxListing:
    """List conversations: the soonest due first, so that what is overdue leads; of resolved ones the newest first.

    `after` is the `next_after` of the page before. Holds no words of a customer. Raises NotAtDesk, NotAllowed.
    """
    rows_max = min(limit, PAGE_MAX)
    due, conversation = after or (_LAST if view == "resolved" else _FIRST)
    async with desk.authorised(tenant, who, "list") as (transaction, actor):
        rows = await transaction.run(
            "list_resolved" if view == "resolved" else "list_waiting",
            tenant=tenant,
            view=view,
            person=actor.name,
            category=filters.category,
            priority=filters.priority,
            channel=filters.channel,
            after_due=due,
            after_conversation=conversation,
            rows_max=rows_max + 1,
        )
    page = rows[:rows_max]
    return InboxListing(page, (page[-1]["due"], page[-1]["conversation_id"]) if len(rows) > rows_max else None)


async def look_at(desk: Desk, who: Who, key: ConversationKey) -> Overview:
    """Read one conversation with its masked transcript, its history and the notes. Raises NotAtDesk, NotAllowed.

    Raises UnknownConversation.
    """
    async with desk.authorised(key.tenant, who, "read") as (transaction, _):
        rows = await transaction.run("read_desk_conversation", **key._asdict())
        acts = await transaction.run("list_desk_acts", after=0, rows_max=HISTORY_MAX, **key._asdict())
    transcript = await read_transcript(desk.database, key, desk.sealer)
    if not rows or transcript is None:
        raise UnknownConversation(key)
    return Overview(state_of(rows[0]["desk"]), transcript, [open_act(row, desk.sealer) for row in acts])


def open_act(act: Mapping[str, Any], sealer: Sealer) -> dict[str, Any]:
    """Return an act of the desk with its reason and its note opened; what no key opens is shown as sealed."""
    reason, note = act["reason"], act["note"]
    try:
        reason, note = reason and sealer.open_text(reason), note and sealer.open(note)
    except Unsealable:
        reason, note = reason and SEALED_TEXT, note and SEALED_TEXT
    return {**act, "reason": reason, "note": note}
