"""Keep the bot's replies from leaving once a person has taken a conversation over.

The commit's fence stops a turn under way. A reply that was committed before is in one of three places. In PostgreSQL
alone, or in a worker's hands on its way to the stream: the takeover holds the conversation's rows back in Redis
(`hold_replies.lua`) and marks the reply as withdrawn before its own transaction ends, so whoever would publish it asks
PostgreSQL first. In the stream, where no group of consumers was given it: it is removed there. With a consumer: it has
left; what delivers it looks at the outbox (`withdrawn_at`) and at the owner once more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from runtime.encoding import dump_json
from schema.ids import new_token
from schema.keys import hold_key, published_key, replies_stream

if TYPE_CHECKING:
    from ops.desk.desk import Desk, DeskAct
    from runtime.database import Row, Transaction
    from schema.ids import ConversationKey

REPLIES_MAX: Final = 50
"""Newest replies of a conversation that are looked at."""

ENTRIES_MAX: Final = 1_000
"""Newest entries of a stream among which a reply is looked for."""

HOLD_SECONDS: Final = 3_600
"""How long rows are held back. What is held is older than the event of the takeover, and once that is published
nothing older goes out any more."""

NOT_SENT: Final = (
    "The airline's reply right before this did not reach the customer: a person of the team took the conversation over."
)


async def hold_back(desk: Desk, act: DeskAct) -> list[int]:
    """Withdraw what is not published, in the takeover's transaction; return the sequences. Raises RedisError.

    Nothing has changed when it raises: the transaction is rolled back, and a hold without a takeover is lifted by the
    next worker that asks PostgreSQL.
    """
    rows = await act.transaction.run("find_withdrawable", rows_max=REPLIES_MAX, **act.names)
    waiting = [row for row in rows if not row["is_published"]]
    if not waiting:
        return []
    published = await desk.scripts.hold_replies(
        keys=[hold_key(act.key), published_key(act.key)],
        args=[new_token(), max(row["ordinal"] for row in waiting), HOLD_SECONDS],
    )
    held = [row["ordinal"] for row in waiting if row["ordinal"] > int(published)]
    return await _withdraw(desk, act, held)


async def remove_published(desk: Desk, key: ConversationKey) -> list[int]:
    """Withdraw what stands in a stream and nobody was given, after a takeover; return the sequences. Repeatable."""
    names = {"tenant": key.tenant, "conversation": key.conversation}
    rows = await desk.database.read(key.tenant, "find_withdrawable", rows_max=REPLIES_MAX, **names)
    by_channel: dict[str, list[Row]] = {}
    for row in rows:
        by_channel.setdefault(row["channel"], []).append(row)
    removed: set[str] = set()
    for channel, those in by_channel.items():
        found = await desk.scripts.remove_unread(
            keys=[replies_stream(key.tenant, channel)], args=[ENTRIES_MAX, *(row["entry_id"] for row in those)]
        )
        removed.update(entry_id.decode() for entry_id in found)
    if not removed:
        return []
    async with desk.database.transaction(key.tenant) as transaction:
        ordinals = [row["ordinal"] for row in rows if row["entry_id"] in removed]
        await transaction.run("advance_version", **names)
        done = await transaction.run("withdraw_replies", ordinals=ordinals, **names)
        await _note(desk, transaction, key)
    return sorted(row["sequence"] for row in done)


async def _withdraw(desk: Desk, act: DeskAct, ordinals: list[int]) -> list[int]:
    if not ordinals:
        return []
    done = await act.transaction.run("withdraw_replies", ordinals=ordinals, **act.names)
    await _note(desk, act.transaction, act.key)
    return sorted(row["sequence"] for row in done)


async def _note(desk: Desk, transaction: Transaction, key: ConversationKey) -> None:
    own = await desk.sealer_of(transaction, key)
    item = own.seal_item({"role": "system", "content": NOT_SENT})
    await transaction.run("add_desk_item", item=dump_json(item), **key._asdict())
