"""Check PostgreSQL: each check is one statement, so it sees one moment of every conversation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ops.verify.finding import FINDINGS_MAX, Finding

if TYPE_CHECKING:
    from runtime.database import Database, Row, Transaction

STATEMENT_TIME = "5min"
UNPUBLISHED_SECONDS_MAX = 60
"""Age from which an unpublished outbox row is a violation."""

GROUP_SECONDS_MAX = 600
"""How long a consumer group that is too far behind may collect nothing of what was cut from its stream."""

_BY_HAND = "no process of the product does that: compare with a backup, and look for who writes into the database"


@dataclass(frozen=True)
class Check:
    """One check: its name, its statement, the text for a row of it, and the way out."""

    name: str
    query: str
    what: str
    way_out: str
    item: str | None = None
    """The column that distinguishes findings of one conversation."""
    age_seconds: int | None = None
    """The age from which it is a violation, for a statement that takes one."""


CHECKS: tuple[Check, ...] = (
    Check(
        "conservation",
        "find_unconserved",
        "{last_position} accepted, done up to {done_position}; the inbox has {messages} messages, the newest {newest}, "
        "and {waiting} waiting from {first_waiting} on",
        _BY_HAND,
    ),
    Check("turn", "find_unturned", "message {message_id} is {state} and has {turns} turns", _BY_HAND, "message_id"),
    Check(
        "reply",
        "find_unequal_replies",
        "{replies} replies to {replying} turns that reply and {dead} that gave a message up",
        _BY_HAND,
    ),
    Check(
        "sequence",
        "find_gaps",
        "{entries} outbox rows of {last_ordinal}, newest {newest}; {replies} replies of {last_sequence}, the newest "
        "{newest_reply}",
        _BY_HAND,
    ),
    Check(
        "publishing",
        "find_overdue_outbox",
        "{unpublished} outbox rows from {first_ordinal} on are not published after {seconds} s",
        "a worker's rescue publishes them: see that one runs and reaches Redis, and look for rescue.failed in its log",
        age_seconds=UNPUBLISHED_SECONDS_MAX,
    ),
    Check(
        "dead letter",
        "find_unburied",
        "message {message_id} is {state} and has {letters} dead letters",
        _BY_HAND,
        "message_id",
    ),
    Check(
        "group",
        "find_aside",
        "group {name} is too far behind its stream, lacks {entries} entries that were cut from it, and has collected "
        "nothing for {seconds} s",
        "start its consumer, which gets them from PostgreSQL in order; or XGROUP DESTROY it in that stream, and "
        "nothing is kept for it any longer",
        "place",
        GROUP_SECONDS_MAX,
    ),
    Check("ledger", "find_unbacked", "{ledger} has {entry}, which no turn accounts for", _BY_HAND, "entry"),
)


async def check_records(transaction: Transaction) -> list[Finding]:
    """Run every check in the scope of the transaction."""
    findings = []
    for check in CHECKS:
        age = {"age_seconds": check.age_seconds} if check.age_seconds is not None else {}
        rows = await transaction.run(check.query, findings_max=FINDINGS_MAX, **age)
        findings += [_finding(check, row) for row in rows]
    return findings


async def look_into(database: Database, scope: str, query: str, **parameters: object) -> list[Row]:
    """Run one statement over everything in scope, with a statement time-out that allows it."""
    async with database.transaction(scope) as transaction:
        await transaction.run("set_statement_time", statement_time=STATEMENT_TIME)
        return await transaction.run(query, **parameters)


def _finding(check: Check, row: Row) -> Finding:
    numbers = {name: value for name, value in row.items() if name not in {"tenant_id", "conversation_id"}}
    return Finding(
        check.name,
        row["tenant_id"],
        row["conversation_id"],
        check.what.format(**row),
        check.way_out,
        item=str(row[check.item]) if check.item else "",
        numbers=numbers,
    )
