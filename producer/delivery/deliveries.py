"""Claim deliveries that are due, send them, and settle what became of each: at least once, under the same id."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import structlog

from producer.delivery.claims import SETTLE_SECONDS, ClaimedTasks
from producer.delivery.schedule import DeliveryVerdict, Tried, judge
from producer.delivery.sending import DeliveryOutcome
from producer.delivery.signing import signed_headers
from runtime.database import EVERY_TENANT
from runtime.outage import POSTGRESQL_AWAY
from schema.errors import Unsealable

if TYPE_CHECKING:
    from producer.delivery.metrics import DeliveryMetrics
    from producer.delivery.sending import Sender
    from runtime.database import Database, Row
    from runtime.outage import Outages
    from runtime.sealing import Sealer
    from schema.settings.webhooks import WebhookSettings

OF_ONE_TARGET_MAX: Final = 4
"""Deliveries to one target that a process claims at once, and from which it claims no more."""

_log = structlog.get_logger("fte.webhooks")


@dataclass(frozen=True)
class DeliveryParts:
    """What deliveries work with."""

    database: Database
    sealer: Sealer
    sender: Sender
    outages: Outages
    metrics: DeliveryMetrics


class Deliveries:
    """Runs the deliveries of one process; any number of processes share the work.

    An attempt is recorded by the claim, before anything is sent. A process that dies in between leaves a claim that
    runs out, and the next one sends the same event under the same id.
    """

    def __init__(self, parts: DeliveryParts, settings: WebhookSettings) -> None:
        self._parts = parts
        self._hold_seconds = settings.webhook_seconds_max + SETTLE_SECONDS
        self.tasks = ClaimedTasks("webhook", tasks_max=settings.webhook_deliveries_max, each_max=OF_ONE_TARGET_MAX)

    async def take_up(self) -> int:
        """Claim what is due, as far as there is room, and begin to send it; return how many were claimed."""
        if not self.tasks.room:
            return 0
        rows = await self._parts.database.read(
            EVERY_TENANT,
            "claim_webhooks",
            busy=self.tasks.busy,
            each_max=self.tasks.each_max,
            deliveries_max=self.tasks.room,
            hold_seconds=self._hold_seconds,
        )
        for row in rows:
            self.tasks.begin(row["target_id"], self._deliver(row))
        return len(rows)

    async def _deliver(self, row: Row) -> None:
        began = time.perf_counter()
        outcome = await self._send(row)
        self._parts.metrics.note(outcome.kind, time.perf_counter() - began)
        verdict = judge(Tried(row["tries"], row["queued_at"], row["failing_since"], row["now"]), outcome)
        try:
            await self._settle(row, outcome, verdict)
        except POSTGRESQL_AWAY as error:  # its claim runs out, and it is sent again
            self._parts.outages.begins(error)
        _tell(row, outcome, verdict)

    async def _send(self, row: Row) -> DeliveryOutcome:
        try:
            opened = [self._parts.sealer.open(sealed) for sealed in (row["secret"], row["old_secret"]) if sealed]
        except Unsealable as error:
            return DeliveryOutcome("unsealable", reason=str(error))
        body = row["body"].encode()
        headers = signed_headers(opened, row["event_id"], int(row["now"].timestamp()), body)
        return await self._parts.sender.post(row["url"], headers, body)

    async def _settle(self, row: Row, outcome: DeliveryOutcome, verdict: DeliveryVerdict) -> None:
        names: dict[str, Any] = {"tenant": row["tenant_id"], "conversation": row["conversation_id"]}
        delivery = {"target_id": row["target_id"], "event_id": row["event_id"], "attempt": row["attempts"], **names}
        target = {
            "has_failed": not outcome.is_delivered,
            "pause_seconds": verdict.pause_seconds,
            "disabled_reason": verdict.disabled_reason,
        }
        await self._parts.database.run_all(
            row["tenant_id"],
            [
                ("lock_webhook_conversation", names),
                ("end_webhook_attempt", {**delivery, "outcome": outcome.kind, "status": outcome.status}),
                ("settle_webhook", {**delivery, "state": verdict.state, "after_seconds": verdict.after_seconds}),
                ("free_webhooks", names),
                ("note_webhook_target", {**target, "target_id": row["target_id"], "tenant": row["tenant_id"]}),
            ],
        )


def _tell(row: Row, outcome: DeliveryOutcome, verdict: DeliveryVerdict) -> None:
    about = {
        "tenant": row["tenant_id"],
        "target": row["target_id"],
        "webhook": row["event_id"],
        "attempt": row["tries"],
        "outcome": outcome.kind,
        "status": outcome.status,
    }
    if verdict.disabled_reason is not None:
        _log.error("webhook.target_disabled", **about, reason=verdict.disabled_reason)
    elif verdict.state == "dead":
        _log.error("webhook.dead", **about, reason=outcome.reason)
    elif verdict.state == "waiting":
        again_seconds = round(verdict.after_seconds)
        _log.warning("webhook.not_delivered", **about, reason=outcome.reason, again_seconds=again_seconds)
    else:
        _log.debug("webhook.delivered", **about)
