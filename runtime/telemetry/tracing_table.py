"""Store spans in PostgreSQL, where `fte trace` reads them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from runtime.database import EVERY_TENANT, Database
from runtime.encoding import dump_json
from runtime.telemetry.tracing import Span, new_span_id
from schema.ids import ConversationKey


class PostgresSpans:
    """Writes spans of any tenant in one statement."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def write(self, spans: Sequence[Span]) -> None:
        """Write spans; one that is there already stays. Raises what the database raises."""
        rows = [_row_of(span) for span in spans]
        await self._database.read(EVERY_TENANT, "record_spans", spans=dump_json(rows))


def event_rows(key: ConversationKey, name: str, *, at: datetime) -> str:
    """Encode an event of a conversation outside its turns as the parameter of `record_spans`."""
    row = {
        "tenant_id": key.tenant,
        "conversation_id": key.conversation,
        "span_id": new_span_id(),
        "attempt": 0,
        "kind": "event",
        "name": name,
        "started_at": at.timestamp(),
        "milliseconds": 0,
        "attributes": {},
    }
    return dump_json([row])


def _row_of(span: Span) -> dict[str, Any]:
    attempt = span.attempt
    if attempt is None:
        raise ValueError("a span outside an attempt belongs to no conversation")
    return {
        "tenant_id": attempt.key.tenant,
        "conversation_id": attempt.key.conversation,
        "span_id": span.span_id,
        "parent_id": span.parent_id,
        "turn_id": attempt.turn_id,
        "position": attempt.position,
        "attempt": attempt.number,
        "kind": span.kind,
        "name": span.name,
        "started_at": span.started_at,
        "milliseconds": span.milliseconds,
        "error": span.error,
        "attributes": span.attributes,
    }
