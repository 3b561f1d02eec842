"""Look after a tenant's webhook targets: add, list, rotate, enable, remove, test them, and replay deliveries."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from psycopg import errors

from ops.audit.acts import Act, By, record_act
from producer.delivery.events import Happening, write_body
from producer.delivery.sending import open_sender
from producer.delivery.signing import make_secret, signed_headers
from producer.delivery.vetting import read_endpoint
from schema.errors import FteError, UnknownTenant
from schema.ids import ConversationKey
from schema.messages.event import ANY_EVENT_NAME
from schema.messages.webhook import TEST_TYPE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from producer.delivery.sending import DeliveryOutcome
    from runtime.database import Database, Row, Transaction
    from runtime.sealing import Sealer
    from schema.settings.webhooks import WebhookSettings

OVERLAP_SECONDS: Final = 86_400
"""How long the secret before signs beside a new one."""

TARGETS_MAX: Final = 20
"""Targets of one tenant: each event is delivered to all of them."""

ATTEMPTS_LISTED_MAX: Final = 1_000

_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


class TooManyTargets(FteError):
    """A tenant that has as many targets as it may have."""

    def __init__(self, tenant: str) -> None:
        super().__init__(f"tenant {tenant} has {TARGETS_MAX} webhook targets, the most there may be; remove one first")


class UnknownTarget(FteError):
    """A webhook target that its tenant does not have."""

    def __init__(self, tenant: str, target_id: str) -> None:
        super().__init__(f"no webhook target {target_id} of tenant {tenant}; see `fte webhooks list`, and --tenant")


@dataclass(frozen=True)
class NewTarget:
    """A target and its secret in the clear, which is shown this once."""

    target_id: str
    url: str
    secret: str

    def __repr__(self) -> str:
        """Show no secret."""
        return f"NewTarget({self.target_id})"


@dataclass(frozen=True)
class Targets:
    """A tenant's targets; the caller has checked that whoever asks may change them."""

    database: Database
    sealer: Sealer
    tenant: str
    by: By = ""
    """Who changes or tests them, and replays deliveries: each such act goes on record. Empty: only looks at them."""

    async def add(self, url: str, event_types: Sequence[str]) -> NewTarget:
        """Add a target; raises UnsafeUrl, TooManyTargets, UnknownTenant, and ValueError for what is no event's name.

        The URL's host is looked up at each delivery and not here: a name may lead elsewhere by then.
        """
        endpoint = read_endpoint(url)
        for each in event_types:
            if not ANY_EVENT_NAME.fullmatch(each):
                raise ValueError(f"{each!r} is no event's name, such as message.answered")
        if len(await self.read()) >= TARGETS_MAX:
            raise TooManyTargets(self.tenant)
        made = NewTarget(f"wt_{secrets.token_hex(8)}", endpoint.url, make_secret())
        row = {
            "target_id": made.target_id,
            "url": made.url,
            "event_types": list(event_types),
            "secret": self.sealer.seal(made.secret),
        }
        try:
            async with self.database.transaction(self.tenant) as transaction:
                await transaction.run("add_webhook_target", tenant=self.tenant, **row)
                seen = {"url": made.url, "event_types": row["event_types"]}
                await self._record(transaction, Act("webhook.added", made.target_id, after=seen))
        except errors.ForeignKeyViolation:
            raise UnknownTenant(self.tenant) from None
        return made

    async def read(self, target_id: str | None = None) -> list[Row]:
        """List targets with their counts; without secrets."""
        rows = await self.database.read(self.tenant, "list_webhook_targets", tenant=self.tenant, target_id=target_id)
        hidden = {"secret", "old_secret", "valid_old_secret", "now"}
        return [{name: value for name, value in row.items() if name not in hidden} for row in rows]

    async def rotate(self, target_id: str, overlap_seconds: int = OVERLAP_SECONDS) -> tuple[NewTarget, datetime]:
        """Give a target a new secret; return it, and until when the one before signs as well. Raises UnknownTarget."""
        [found] = await self._find(target_id)
        secret = make_secret()
        rows = await self._run(
            "webhook.rotated",
            "rotate_webhook_secret",
            target_id,
            secret=self.sealer.seal(secret),
            overlap_seconds=overlap_seconds,
        )
        return NewTarget(target_id, found["url"], secret), rows[0]["old_secret_until"]

    async def enable(self, target_id: str) -> None:
        """Send to a target again that was disabled; what waits for it goes on. Raises UnknownTarget."""
        await self._run("webhook.enabled", "enable_webhook_target", target_id)

    async def remove(self, target_id: str) -> None:
        """Remove a target with its deliveries. Raises UnknownTarget."""
        await self._run("webhook.removed", "remove_webhook_target", target_id)

    async def test(self, target_id: str, settings: WebhookSettings) -> DeliveryOutcome:
        """Send a `webhook.test` now, once and unrecorded; return how it went. Raises UnknownTarget."""
        [found] = await self._find(target_id)
        event_id = f"msg_test_{secrets.token_hex(12)}"
        happening = Happening(event_id, TEST_TYPE, found["now"], {"target_id": target_id}, found["now"])
        body = write_body(ConversationKey(self.tenant, "webhook-test"), happening, 0).encode()
        opened = [self.sealer.open(each) for each in (found["secret"], found["valid_old_secret"]) if each]
        headers = signed_headers(opened, event_id, int(found["now"].timestamp()), body)
        async with self.database.transaction(self.tenant) as transaction:
            await self._record(transaction, Act("webhook.tested", target_id))
        async with open_sender(settings) as sender:
            return await sender.post(found["url"], headers, body)

    async def log(self, *, target_id: str | None, event_id: str | None, state: str | None, rows_max: int) -> list[Row]:
        """List deliveries with their attempts, newest first."""
        return await self.database.read(
            self.tenant,
            "list_webhook_attempts",
            tenant=self.tenant,
            target_id=target_id,
            event_id=event_id,
            state=state,
            rows_max=min(rows_max, ATTEMPTS_LISTED_MAX),
        )

    async def replay(
        self,
        target_id: str,
        *,
        event_ids: Sequence[str] = (),
        dead_only: bool = False,
        since: datetime | None = None,
    ) -> int:
        """Queue events of a target anew, under the ids they had; return how many. Raises UnknownTarget.

        Those named; else those that are `dead_only`; else all that were made `since`, also those that it missed while
        it was disabled. What waits already is left alone.
        """
        await self._find(target_id)
        async with self.database.transaction(self.tenant) as transaction:
            chosen: dict[str, Any] = {
                "tenant": self.tenant,
                "target_id": target_id,
                "event_ids": list(event_ids) or None,
                "dead_only": dead_only,
                "since": since or _BEGINNING,
            }
            rows = await transaction.run("replay_webhooks", **chosen)
            for conversation in sorted({row["conversation_id"] for row in rows}):
                names = {"tenant": self.tenant, "conversation": conversation}
                await transaction.run("lock_webhook_conversation", **names)
                await transaction.run("free_webhooks", **names)
            await self._record(transaction, Act("webhook.replayed", target_id, after={"events": len(rows)}))
        return len(rows)

    async def _find(self, target_id: str) -> list[Row]:
        rows = await self.database.read(self.tenant, "list_webhook_targets", tenant=self.tenant, target_id=target_id)
        if not rows:
            raise UnknownTarget(self.tenant, target_id)
        return rows

    async def _run(self, operation: str, query: str, target_id: str, **parameters: Any) -> list[Row]:
        async with self.database.transaction(self.tenant) as transaction:
            rows = await transaction.run(query, tenant=self.tenant, target_id=target_id, **parameters)
            if not rows:
                raise UnknownTarget(self.tenant, target_id)
            await self._record(transaction, Act(operation, target_id))
        return rows

    async def _record(self, transaction: Transaction, act: Act) -> None:
        await record_act(transaction, self.tenant, self.by, act)
