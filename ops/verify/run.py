"""Verify a live system: check, and check suspects again, so that what is merely under way is not reported."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ops.verify.finding import FINDINGS_MAX, Finding, Report, TenantCount
from ops.verify.mailboxes import STALE_SECONDS, Mailboxes, check_mailbox, check_waiting
from ops.verify.records import STATEMENT_TIME, check_records, look_into
from runtime.database import EVERY_TENANT
from schema.ids import ConversationKey

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from runtime.database import Database
    from schema.settings.repair import VerificationSettings

CONVERSATIONS_MAX = 10_000
"""Conversations of long waiting messages that are looked up in Redis."""

FIRST_LOOK_AGAIN_SECONDS = 1.0


@dataclass(frozen=True)
class Verification:
    """A verification of one tenant (None: all) in PostgreSQL and Redis. Only reads."""

    settings: VerificationSettings
    database: Database
    client: Redis
    tenant: str | None = None
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    """Waits for so many seconds before the next look."""

    async def run(self) -> Report:
        """Run all checks; a finding is what is wrong in each of up to three looks.

        The last look comes after rescue has had time to repair what a dead worker or an emptied Redis left behind.
        """
        tenants, findings = await self._look()
        settings = self.settings
        rescued = settings.bell_seconds + settings.sweep_seconds + settings.reconcile_seconds
        for wait_seconds in (FIRST_LOOK_AGAIN_SECONDS, rescued):
            if not findings:
                break
            await self.pause(wait_seconds)
            suspects = {finding.place for finding in findings}
            tenants, seen = await self._look()
            findings = [finding for finding in seen if finding.place in suspects]
        return Report(tenants, findings)

    async def _look(self) -> tuple[list[TenantCount], list[Finding]]:
        scope = self.tenant or EVERY_TENANT
        mailboxes = Mailboxes(self.client, self.settings.partitions)
        in_work: Counter[str] = Counter()
        findings: list[Finding] = []
        keys, strange = await mailboxes.every_key(self.tenant)
        findings += strange
        async for seen in mailboxes.look_at(sorted(keys)):
            findings += check_mailbox(seen)
            in_work[seen.key.tenant] += seen.in_work
        findings += await self._find_lost(mailboxes, scope)
        async with self.database.transaction(scope) as transaction:
            await transaction.run("set_statement_time", statement_time=STATEMENT_TIME)
            findings += await check_records(transaction)
        rows = await look_into(self.database, scope, "count_messages")
        return [
            TenantCount(
                row["tenant_id"],
                row["accepted"],
                row["waiting"],
                in_work[row["tenant_id"]],
                row["answered"],
                row["dead"],
                row["erased"],
            )
            for row in rows
        ], findings

    async def _find_lost(self, mailboxes: Mailboxes, scope: str) -> list[Finding]:
        age_seconds = max(STALE_SECONDS, 3 * self.settings.reconcile_seconds)
        rows = await look_into(
            self.database,
            scope,
            "find_waiting_conversations",
            age_seconds=age_seconds,
            conversations_max=CONVERSATIONS_MAX,
        )
        waiting = {ConversationKey(row["tenant_id"], row["conversation_id"]): row for row in rows}
        found = [
            finding async for seen in mailboxes.look_at(waiting) for finding in check_waiting(seen, waiting[seen.key])
        ]
        return found[:FINDINGS_MAX]
