"""Open a ticket for a person where a reply did not reach its customer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from schema.ids import ConversationKey, trace_id_of, undelivered_ticket_id_of
from schema.messages.escalation import Briefing, Escalation, TranscriptReference
from schema.tenants import EscalationHours

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runtime.database import Transaction
    from runtime.sealing import Sealer
    from runtime.tenants import Tenants

AnswerBy = Callable[[datetime, EscalationHours], datetime]
"""Says by when a person takes up a ticket that is opened now, in a tenant's hours."""

REASON_CHARACTERS_MAX: Final = 1_000


@dataclass(frozen=True)
class ReplyTickets:
    """Opens one ticket for each reply that no person would hear of otherwise."""

    sealer: Sealer
    tenants: Tenants
    answer_by: AnswerBy

    async def open(self, transaction: Transaction, row: Mapping[str, Any], reason: str, hours: EscalationHours) -> None:
        """Open the ticket of a reply, once, in the transaction that settles it; rescue publishes it.

        `row` is the delivery, with `now`. The reply's text stands in the conversation, so it is not repeated here.
        """
        key = ConversationKey(row["tenant_id"], row["conversation_id"])
        names = {"tenant": key.tenant, "conversation": key.conversation}
        ticket_id = undelivered_ticket_id_of(key, row["reply_id"])
        answer_by = self.answer_by(row["now"], hours)
        opened = await transaction.count(
            "open_ticket",
            {
                **names,
                "ticket_id": ticket_id,
                "category": "system_error",
                "priority": "high",
                "answer_by": answer_by,
                "sender_key": row["sender_key"],
            },
        )
        if not opened:
            return
        [place] = await transaction.run("take_ticket_place", **names)
        last_position = max(1, place["last_position"])
        escalation = Escalation(
            ticket_id=ticket_id,
            tenant=key.tenant,
            conversation=key.conversation,
            category="system_error",
            reason=f"a reply by {row['channel']} did not reach the customer: {reason}"[:REASON_CHARACTERS_MAX],
            summary=f"The customer did not get the reply {row['reply_id']}: {reason}. Reach them another way.",
            priority="high",
            answer_by=answer_by,
            trace_id=trace_id_of(key),
            created_at=row["now"],
            transcript=TranscriptReference(
                conversation=key.conversation, first_position=1, last_position=last_position
            ),
            briefing=Briefing(channel=row["channel"]),
        )
        await transaction.run(
            "add_escalation",
            ordinal=place["last_ordinal"],
            entry_id=ticket_id,
            sequence=place["last_sequence"],
            body=self.sealer.with_kept_key(place["sealed_key"]).seal(escalation.model_dump_json()),
            **names,
        )

    async def hours_of(self, tenant: str) -> EscalationHours:
        """Return the hours in which a tenant's people answer; around the clock for one that is gone."""
        return (await self.tenants.view(tenant)).settings.escalation_hours
