"""Seal what is stored of conversations with keys of their own; works beside running workers, a conversation at a time.

Safe to repeat and to break off: what was written since before its conversation had a key is sealed by the next run.
Every process must read such values by then, so it asks for FTE_CONVERSATION_KEYS.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from psycopg import sql

from ops.audit.acts import DEPLOYMENT_CHAIN, Act, By, parameters_of
from runtime.database import EVERY_TENANT, connect
from runtime.encoding import dump_json
from runtime.sealing import OWN_MARK
from schema.errors import InvalidSettings
from schema.resources import load_query

if TYPE_CHECKING:
    from collections.abc import Callable

    from ops.database.migrate import Connection
    from runtime.sealing import Sealer
    from schema.settings.servers import ServerSettings

PAGE_CONVERSATIONS: Final = 200

_BY_CONVERSATION: Final = sql.SQL("t.tenant_id = c.tenant_id AND t.conversation_id = c.conversation_id")
_BY_REPLY: Final = sql.SQL(
    "t.tenant_id = c.tenant_id AND t.reply_id IN (SELECT d.reply_id FROM reply_delivery d "
    "WHERE d.tenant_id = c.tenant_id AND d.conversation_id = c.conversation_id)"
)


class Adopted(NamedTuple):
    """A column whose values the conversation's key seals, and its table's key within the tenant."""

    table: str
    key: tuple[str, ...]
    column: str
    is_text: bool = False
    """Whether values stand in clear, and not under the vault's key, where the conversation has none."""
    belongs: sql.SQL = _BY_CONVERSATION
    """Which rows `t` are those of a conversation `c`."""
    only: sql.SQL = sql.SQL("true")
    """Which of those are looked at: what waits for a turn stays with the vault's key, and codes in clear."""


COLUMNS: Final = (
    Adopted("conversation", ("conversation_id",), "vault"),
    Adopted("conversation", ("conversation_id",), "return_address"),
    Adopted("conversation_sender", ("conversation_id", "sender_key"), "vault"),
    Adopted("outbox", ("conversation_id", "ordinal"), "body"),
    Adopted("inbox", ("message_id",), "payload", only=sql.SQL("t.state = 'dead'")),
    Adopted("dead_letter", ("dead_letter_id",), "payload"),
    Adopted("desk_act", ("conversation_id", "number"), "note"),
    Adopted("desk_act", ("conversation_id", "number"), "reason", is_text=True, only=sql.SQL("t.by_person <> 'clock'")),
    Adopted(
        "ticket",
        ("ticket_id",),
        "closed_because",
        is_text=True,
        only=sql.SQL("t.closed_because NOT IN ('resolve', 'hand_back')"),
    ),
    Adopted("approval", ("approval_id",), "details"),
    Adopted("approval", ("approval_id",), "reason", is_text=True, only=sql.SQL("t.state <> 'cancelled'")),
    Adopted("mail_message", ("message_id",), "head"),
    Adopted("reply_part", ("reply_id", "number"), "content", belongs=_BY_REPLY),
)

CONTEXTS: Final = (
    Adopted("conversation", ("conversation_id",), "context"),
    Adopted("conversation_sender", ("conversation_id", "sender_key"), "context"),
)
"""What is known of a sender: sealed field by field."""

_ITEMS: Final = Adopted("session_item", ("conversation_id", "ordinal"), "item")

_UNSEALED: Final = sql.SQL("t.{column} <> '' AND NOT starts_with(t.{column}, {mark}) AND {only}")
_UNSEALED_JSON: Final = sql.SQL("NOT t.{column} ? 'sealed' AND {only}")


def adopt_conversations(settings: ServerSettings, sealer: Sealer, *, by: By) -> int:
    """Give every conversation without a key one, and seal with its key what is stored of each and not sealed so.

    Returns of how many something was sealed. Raises ServerUnreachable, and InvalidSettings where this deployment does
    not seal by conversation.
    """
    if not sealer.by_conversation:
        raise InvalidSettings(["FTE_CONVERSATION_KEYS: not set; set it for every process of this release first"])
    adopted = 0
    with connect(settings.database_url or "") as connection:
        connection.execute("SELECT set_config('fte.tenant', %s, false)", [EVERY_TENANT])
        place = ("", "")
        while True:
            names = {"after_tenant": place[0], "after_conversation": place[1], "rows_max": PAGE_CONVERSATIONS}
            page = connection.execute(_find_page(), names).fetchall()
            for row in page:
                place = (row["tenant_id"], row["conversation_id"])
                if row["is_unsealed"]:
                    adopted += _adopt(connection, *place, sealer)
            if len(page) < PAGE_CONVERSATIONS:
                break
        act = Act("conversations.adopted", "every tenant", after={"conversations": adopted})
        connection.execute(load_query("record_act"), parameters_of(DEPLOYMENT_CHAIN, by, act))
    return adopted


def _find_page() -> sql.Composed:
    """Return the statement that looks at a page of conversations: each with whether there is anything to seal."""
    found = [
        sql.SQL("EXISTS (SELECT FROM {table} t WHERE {belongs} AND {unsealed})").format(
            table=sql.Identifier(one.table), belongs=one.belongs, unsealed=_unsealed(one)
        )
        for one in (*COLUMNS, *CONTEXTS, _ITEMS)
    ]
    return sql.SQL(
        "SELECT c.tenant_id, c.conversation_id, NOT EXISTS (SELECT FROM conversation_key t WHERE {belongs}) OR {found} "
        "AS is_unsealed FROM conversation c WHERE (c.tenant_id, c.conversation_id) > (%(after_tenant)s, "
        "%(after_conversation)s) ORDER BY c.tenant_id, c.conversation_id LIMIT %(rows_max)s"
    ).format(belongs=_BY_CONVERSATION, found=sql.SQL(" OR ").join(found))


def _unsealed(one: Adopted) -> sql.Composed:
    condition = _UNSEALED if one in COLUMNS else _UNSEALED_JSON
    return condition.format(column=sql.Identifier(one.column), mark=sql.Literal(OWN_MARK), only=one.only)


def _adopt(connection: Connection, tenant: str, conversation: str, sealer: Sealer) -> bool:
    """Seal one conversation; return whether there was anything to seal that the vault's key opens."""
    names = {"tenant": tenant, "conversation": conversation}
    with connection.transaction():
        if not connection.execute(
            load_query("lock_conversations"), {"tenant": tenant, "conversations": [conversation]}
        ).fetchall():
            return False  # it was erased meanwhile
        made = sealer.for_conversation(None)
        is_new = connection.execute(load_query("add_key"), names | {"sealed_key": made.sealed_key}).fetchall()
        [kept] = connection.execute(load_query("find_conversation_key"), names).fetchall()
        own = sealer.for_conversation(kept["sealed_key"])
        seals = [
            *((one, own.seal_text if one.is_text else own.reseal) for one in COLUMNS),
            *((one, lambda context: dump_json(own.seal_fields(context))) for one in CONTEXTS),
            (_ITEMS, lambda item: dump_json(own.seal_item(item))),
        ]
        sealed = sum([_seal_column(connection, names, one, seal) for one, seal in seals])
    return bool(is_new or sealed)


def _seal_column(connection: Connection, names: dict[str, Any], one: Adopted, seal: Callable[[Any], str]) -> int:
    """Seal the values of a column that are not; return how many. What was written anew meanwhile stays as it is."""
    key = [sql.Identifier(name) for name in one.key]
    column = sql.Identifier(one.column)
    select = sql.SQL(
        "SELECT {key}, t.{column} AS stored, t.{column}::text AS old FROM conversation c, {table} t "
        "WHERE c.tenant_id = %(tenant)s AND c.conversation_id = %(conversation)s AND {belongs} AND {unsealed}"
    ).format(
        key=sql.SQL(", ").join(sql.SQL("t.{}").format(name) for name in key),
        column=column,
        table=sql.Identifier(one.table),
        belongs=one.belongs,
        unsealed=_unsealed(one),
    )
    update = sql.SQL("UPDATE {table} SET {column} = %(sealed)s WHERE {where} AND {column}::text = %(old)s").format(
        table=sql.Identifier(one.table),
        column=column,
        where=sql.SQL(" AND ").join(
            sql.SQL("{} = {}").format(sql.Identifier(name), sql.Placeholder(place))
            for name, place in (("tenant_id", "tenant"), *((each, each) for each in one.key))
        ),
    )
    rows = connection.execute(select, names).fetchall()
    changed = [names | row | {"sealed": seal(row["stored"])} for row in rows]
    changed = [row for row in changed if row["sealed"] != row["stored"]]
    if not changed:
        return 0
    with connection.cursor() as cursor:
        cursor.executemany(update, changed)
        return cursor.rowcount
