"""Keep the table of episodes up to date with what was accepted, answered and resolved."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import structlog

from runtime.database import EVERY_TENANT
from runtime.encoding import dump_json
from runtime.tenants import Tenants
from worker.store.episode_rules import RULE_VERSION, Activity, Episode, Message, Resolution, advance

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runtime.database import Database, Row, Transaction
    from schema.channels import Channel
    from schema.settings.episodes import EpisodeSettings

CONVERSATIONS_MAX = 500
"""Most conversations of each kind brought up to date in one transaction."""

SETTLE_SECONDS = 20.0
"""How old a committed turn is when it is taken up: longer than a transaction may last, so none older comes later."""

_PAGES_MAX = 100

_log = structlog.get_logger("fte.episodes")


class Episodes:
    """Brings episodes up to date; every round is idempotent, and two processes at it take turns."""

    def __init__(
        self, database: Database, settings: EpisodeSettings, *, settle_seconds: float = SETTLE_SECONDS
    ) -> None:
        self._database = database
        self._tenants = Tenants(database)
        self._hours = settings.episode_idle_hours
        self._settle_seconds = settle_seconds

    async def bring_up_to_date(self) -> int:
        """Take up what was committed, resolved or has fallen silent; return how many episodes were closed."""
        closed = 0
        for _ in range(_PAGES_MAX):
            is_last, ended = await self._take_page()
            closed += ended
            if is_last:
                break
        if closed:
            _log.info("episodes.closed", episodes=closed)
        return closed

    async def _idle_of(self, tenant: str) -> Mapping[Channel, timedelta]:
        """Return after how long a silence an episode of a tenant is over."""
        own = (await self._tenants.view(tenant)).settings.episodes.idle_hours
        return {channel: timedelta(hours=hours) for channel, hours in {**self._hours, **own}.items()}

    async def _take_page(self) -> tuple[bool, int]:
        async with self._database.transaction(EVERY_TENANT) as transaction:
            await transaction.run("lock_episodes")
            work = await transaction.run(
                "find_episode_work",
                settle_seconds=self._settle_seconds,
                conversations_max=CONVERSATIONS_MAX,
            )
            found = list(dict.fromkeys((row["tenant_id"], row["conversation_id"]) for row in work))
            names = {"tenants": [tenant for tenant, _ in found], "conversations": [name for _, name in found]}
            closed = await self._update(transaction, names) if found else 0
            read_to = _read_to(work)
            if read_to:
                await transaction.run("note_episodes_read", tenants=list(read_to), read_to=list(read_to.values()))
        return len(work) < CONVERSATIONS_MAX, closed

    async def _update(self, transaction: Transaction, names: Mapping[str, list[str]]) -> int:
        rows = await transaction.run("read_episodes", **names)
        idle = {tenant: await self._idle_of(tenant) for tenant in {row["tenant_id"] for row in rows}}
        changed: list[dict[str, Any]] = []
        for row in rows:
            key = {"tenant_id": row["tenant_id"], "conversation_id": row["conversation_id"]}
            episodes = advance(_newest(row), _activity(row), idle[row["tenant_id"]], row["now"])
            changed += [{**key, **asdict(episode), "rule_version": RULE_VERSION} for episode in episodes]
        if changed:
            await transaction.run("write_episodes", episodes=dump_json(changed))
        await transaction.run("note_resolutions", **names)
        return sum(episode["closed_at"] is not None for episode in changed)


def _read_to(work: list[Row]) -> dict[str, datetime]:
    """Return up to when each tenant's committed turns are among the work."""
    read_to: dict[str, datetime] = {}
    for row in work:
        if row["committed_at"] is not None:
            read_to[row["tenant_id"]] = max(row["committed_at"], read_to.get(row["tenant_id"], row["committed_at"]))
    return read_to


def _newest(row: Row) -> Episode | None:
    if row["number"] is None:
        return None
    return Episode(
        number=row["number"],
        first_position=row["first_position"],
        last_position=row["last_position"],
        channel=row["channel"],
        opened_at=row["opened_at"],
        last_at=row["last_at"],
        look_at=row["look_at"],
        closed_at=row["closed_at"],
        close_reason=row["close_reason"],
    )


def _activity(row: Row) -> Activity:
    return Activity(
        [
            Message(each["position"], each["channel"], _at(each["accepted_at"]), _at(each["finished_at"]))
            for each in row["messages"]
        ],
        [Resolution(each["position"], _at(each["resolved_at"])) for each in row["resolutions"]],
        is_waiting=row["is_waiting"],
    )


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)
