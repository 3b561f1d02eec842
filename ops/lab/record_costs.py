"""Measure what the privacy and audit commands cost on a full database: `python -m ops.lab.record_costs`.

It fills a PostgreSQL of its own with people and their conversations, and with an audit log; then it erases one person
and verifies the log. Neither may take longer than is promised (docs/privacy.md), counted in CPU time, since a machine
that has something else to do takes longer.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.console import Console

from ops.audit.verification import verify_chain
from ops.database.migrate import migrate
from ops.embedded import EmbeddedStack
from ops.lab.bench.cpu import cpu_seconds, spent_since
from ops.privacy.erasing import Eraser
from ops.privacy.people import find_conversations
from runtime.configuration import load_settings, open_sealer
from runtime.database import Database, connect
from runtime.redis import make_redis

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    from runtime.sealing import Sealer
    from schema.settings import Settings

TENANT: Final = "default"
ERASE_SECONDS_MAX: Final = 5.0
VERIFY_SECONDS_MAX: Final = 10.0
TURNS: Final = 5
"""Of each conversation."""

BATCH: Final = 100
"""Audit entries of one transaction: each leaves a dead version of the chain's head until its end."""

_FILL: Final = (
    """
    INSERT INTO conversation (tenant_id, conversation_id, version, last_position, done_position, last_sequence,
        last_ordinal, last_item, sender_key, first_sender_key)
    SELECT %(tenant)s, 'c-' || n, %(turns)s, %(turns)s, %(turns)s, %(turns)s, %(turns)s, 2 * %(turns)s,
        lpad(to_hex(n), 64, '0'), lpad(to_hex(n), 64, '0') FROM generate_series(1, %(people)s) n
    """,
    """
    INSERT INTO inbox (tenant_id, message_id, conversation_id, position, channel, state, finished_at, sender_key)
    SELECT %(tenant)s, 'm-' || n || '-' || t, 'c-' || n, t, 'chat', 'answered', now(), lpad(to_hex(n), 64, '0')
    FROM generate_series(1, %(people)s) n, generate_series(1, %(turns)s) t
    """,
    """
    INSERT INTO turn (tenant_id, conversation_id, number, message_ids, outcome, attempts, started_at, timings)
    SELECT %(tenant)s, 'c-' || n, t, ARRAY['m-' || n || '-' || t], 'answered', 1, now(), '{}'
    FROM generate_series(1, %(people)s) n, generate_series(1, %(turns)s) t
    """,
    """
    INSERT INTO session_item (tenant_id, conversation_id, ordinal, turn, item)
    SELECT %(tenant)s, 'c-' || n, t, (t + 1) / 2, '{"role": "user", "content": "How much is a second bag?"}'
    FROM generate_series(1, %(people)s) n, generate_series(1, 2 * %(turns)s) t
    """,
    """
    INSERT INTO outbox (tenant_id, conversation_id, ordinal, kind, channel, entry_id, sequence, body, published_at)
    SELECT %(tenant)s, 'c-' || n, t, 'reply', 'chat', 'r-' || n || '-' || t, t, %(sealed)s, now()
    FROM generate_series(1, %(people)s) n, generate_series(1, %(turns)s) t
    """,
)
_APPEND: Final = b"""
    SELECT append_audit_entry(%(tenant)s, 'ann', 'operator', NULL, 'ticket.opened', 'ticket', NULL, NULL, 'salt',
        'T-' || n, 'c-' || n, 'asked for') FROM generate_series(%(first)s::int, %(last)s::int) AS n
"""


def main(
    people: Annotated[int, typer.Option(min=1, help="One of them is erased.")] = 10_000,
    entries: Annotated[int, typer.Option(min=1, help="Of the audit log.")] = 100_000,
) -> None:
    """Fill, erase one person, verify the log; exit code 1 when one took more CPU time than is promised."""
    console = Console()
    with tempfile.TemporaryDirectory(prefix="fte-records-") as folder, EmbeddedStack(Path(folder)) as stack:
        addresses = {"database_url": stack.addresses.database_url, "redis_url": stack.addresses.redis_url}
        settings = load_settings(state_dir=Path(folder)).model_copy(update=addresses)
        sealer = open_sealer(settings)
        migrate(stack.addresses.database_url, sealer)
        console.print(f"[dim]{people:,} people and {entries:,} audit entries are written …[/]")
        _fill(settings, sealer, people, entries)
        slow = [name for name, is_slow in _measure(settings, people, console) if is_slow]
    raise typer.Exit(1 if slow else 0)


def _fill(settings: Settings, sealer: Sealer, people: int, entries: int) -> None:
    names = {"tenant": TENANT, "people": people, "turns": TURNS, "sealed": sealer.seal("A second bag costs $50. " * 8)}
    with connect(settings.database_url or "") as connection:
        connection.execute("SELECT set_config('fte.tenant', %s, false)", [TENANT])
        for statement in _FILL:
            connection.execute(statement.encode(), names)
        for first in range(1, entries + 1, BATCH):
            place = {"tenant": TENANT, "first": first, "last": min(first + BATCH - 1, entries)}
            connection.execute(_APPEND, place)
        connection.execute("VACUUM ANALYZE")


def _measure(settings: Settings, people: int, console: Console) -> Iterator[tuple[str, bool]]:
    person = f"{people // 2 + 1:064x}"

    async def erase(database: Database) -> str:
        redis = make_redis(settings)
        receipt = await Eraser(database, redis, settings, TENANT, by="the lab").erase_person(person)
        left = await find_conversations(database, TENANT, person)
        await redis.aclose()
        return f"{receipt.conversations} conversation of {people:,} people, {sum(receipt.rows.values())} rows; {left=}"

    async def verify(database: Database) -> str:
        report = await verify_chain(database, TENANT)
        return f"{report.entries:,} entries, {'whole' if report.is_whole else report.problem}"

    works: tuple[tuple[str, float, Callable[[Database], Coroutine[Any, Any, str]]], ...] = (
        ("erase", ERASE_SECONDS_MAX, erase),
        ("verify", VERIFY_SECONDS_MAX, verify),
    )
    for name, seconds_max, work in works:
        before, started = cpu_seconds(), time.monotonic()
        told = asyncio.run(_with_database(settings, work))
        seconds, cpu = time.monotonic() - started, spent_since(before)
        spent = ", ".join(f"{kind} {used:.2f} s" for kind, used in cpu.items() if used >= 0.005)  # noqa: PLR2004 - shown
        total = sum(cpu.values())
        used = f"{total:.2f} s of CPU ({spent}) of at most {seconds_max:g}"
        console.print(f"{name}: {used}, within {seconds:.2f} s; {told}", soft_wrap=True)
        yield name, total > seconds_max


async def _with_database(settings: Settings, work: Callable[[Database], Coroutine[Any, Any, str]]) -> str:
    database = Database(settings)
    await database.open()
    try:
        return await work(database)
    finally:
        await database.close()


if __name__ == "__main__":
    typer.run(main)
