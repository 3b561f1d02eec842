"""Seal what is stored of conversations with keys of their own; works beside running workers, a conversation at a time.

Safe to repeat and to break off. Every process must read such values by then, so it asks for FTE_CONVERSATION_KEYS.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from psycopg import sql

from ops.audit.acts import DEPLOYMENT_CHAIN, Act, By, parameters_of
from runtime.database import EVERY_TENANT, connect
from runtime.encoding import dump_json
from runtime.sealing import OWN_MARK
from schema.errors import InvalidSettings
from schema.resources import load_query

if TYPE_CHECKING:
    from ops.database.migrate import Connection
    from runtime.database import Row
    from runtime.sealing import ConversationSealer, Sealer
    from schema.settings.servers import ServerSettings

PAGE_CONVERSATIONS: Final = 200

COLUMNS: Final = (
    ("conversation", ("conversation_id",), "vault"),
    ("conversation", ("conversation_id",), "return_address"),
    ("conversation_sender", ("conversation_id", "sender_key"), "vault"),
    ("outbox", ("conversation_id", "ordinal"), "body"),
    ("dead_letter", ("dead_letter_id",), "payload"),
    ("desk_act", ("conversation_id", "number"), "note"),
    ("approval", ("approval_id",), "details"),
)
"""Table, its key within the tenant, and the sealed column."""

CONTEXTS: Final = (("conversation", ("conversation_id",)), ("conversation_sender", ("conversation_id", "sender_key")))
"""Table and key within the tenant of what is known of a sender, the column `context`."""

_OF_CONVERSATION: Final = sql.SQL("tenant_id = %(tenant)s AND conversation_id = %(conversation)s")


def adopt_conversations(settings: ServerSettings, sealer: Sealer, *, by: By) -> int:
    """Give every conversation without a key one, and seal what is stored of it with that; return how many there were.

    Raises ServerUnreachable, and InvalidSettings where this deployment does not seal by conversation.
    """
    if not sealer.by_conversation:
        raise InvalidSettings(["FTE_CONVERSATION_KEYS: not set; set it for every process of this release first"])
    adopted = 0
    with connect(settings.database_url or "") as connection:
        connection.execute("SELECT set_config('fte.tenant', %s, false)", [EVERY_TENANT])
        place = ("", "")
        while True:
            names = {"after_tenant": place[0], "after_conversation": place[1], "rows_max": PAGE_CONVERSATIONS}
            page = connection.execute(load_query("find_keyless"), names).fetchall()
            for row in page:
                adopted += _adopt(connection, row["tenant_id"], row["conversation_id"], sealer)
                place = (row["tenant_id"], row["conversation_id"])
            if len(page) < PAGE_CONVERSATIONS:
                break
        act = Act("conversations.adopted", "every tenant", after={"conversations": adopted})
        connection.execute(load_query("record_act"), parameters_of(DEPLOYMENT_CHAIN, by, act))
    return adopted


def _adopt(connection: Connection, tenant: str, conversation: str, sealer: Sealer) -> int:
    """Seal one conversation; a turn under way that made a key of its own is fenced, or was quicker."""
    names = {"tenant": tenant, "conversation": conversation}
    own = sealer.for_conversation(None)
    with connection.transaction():
        connection.execute(load_query("lock_conversations"), {"tenant": tenant, "conversations": [conversation]})
        made = connection.execute(load_query("add_key"), names | {"sealed_key": own.sealed_key}).fetchall()
        if not made:
            return 0
        for table, key, column in COLUMNS:
            _seal_column(connection, names, (table, key, column), own)
        for table, key in CONTEXTS:
            _seal_contexts(connection, names, (table, key), own)
        items = connection.execute(load_query("read_items"), names).fetchall()
        sealed = [{"ordinal": row["ordinal"], "item": own.seal_item(row["item"])} for row in items]
        connection.execute(load_query("write_items"), names | {"items": dump_json(sealed)})
    return 1


def _seal_column(
    connection: Connection, names: dict[str, Any], place: tuple[str, tuple[str, ...], str], own: ConversationSealer
) -> None:
    table, key, column = place
    select = sql.SQL("SELECT {key}, {column} FROM {table} WHERE {where} AND {column} <> ''").format(
        key=sql.SQL(", ").join(map(sql.Identifier, key)),
        column=sql.Identifier(column),
        table=sql.Identifier(table),
        where=_OF_CONVERSATION,
    )
    rows: list[Row] = connection.execute(select, names).fetchall()
    changed = [
        names | row | {"sealed": own.reseal(row[column])} for row in rows if not row[column].startswith(OWN_MARK)
    ]
    with connection.cursor() as cursor:
        cursor.executemany(_update(table, key, column), changed)


def _seal_contexts(
    connection: Connection, names: dict[str, Any], place: tuple[str, tuple[str, ...]], own: ConversationSealer
) -> None:
    table, key = place
    select = sql.SQL("SELECT {key}, context FROM {table} WHERE {where} AND NOT context ? 'sealed'").format(
        key=sql.SQL(", ").join(map(sql.Identifier, key)), table=sql.Identifier(table), where=_OF_CONVERSATION
    )
    rows: list[Row] = connection.execute(select, names).fetchall()
    changed = [names | row | {"sealed": dump_json(own.seal_fields(row["context"]))} for row in rows]
    with connection.cursor() as cursor:
        cursor.executemany(_update(table, key, "context"), changed)


def _update(table: str, key: tuple[str, ...], column: str) -> sql.Composed:
    conditions = [sql.SQL("{} = {}").format(sql.Identifier(name), sql.Placeholder(name)) for name in key]
    return sql.SQL("UPDATE {table} SET {column} = %(sealed)s WHERE {where} AND {conditions}").format(
        table=sql.Identifier(table),
        column=sql.Identifier(column),
        where=_OF_CONVERSATION,
        conditions=sql.SQL(" AND ").join(conditions),
    )
