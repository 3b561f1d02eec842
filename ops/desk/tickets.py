"""Open tickets with their private values, for the people who answer them, and record who did."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ops.desk.outbox_events import announce, check_name
from runtime.database import Database, Row
from runtime.encoding import parse_json
from runtime.sealing import Sealer
from schema.errors import FteError
from schema.ids import ConversationKey
from schema.messages.escalation import Escalation
from worker.conversation.vault import Vault


class UnknownTicket(FteError):
    """A ticket that its tenant does not have."""

    def __init__(self, tenant: str, ticket_id: str) -> None:
        super().__init__(f"no ticket {ticket_id} of tenant {tenant}; see --tenant, and `fte escalations`")
        self.tenant = tenant
        self.ticket_id = ticket_id


@dataclass(frozen=True)
class OpenedTicket:
    """An escalation with its private values in clear, and the value of each placeholder in it. Not to be stored."""

    escalation: Escalation
    values: dict[str, str]

    def __repr__(self) -> str:
        """Show the ticket's id, and nothing of its content."""
        return f"OpenedTicket({self.escalation.ticket_id})"


async def read_ticket(database: Database, sealer: Sealer, tenant: str, ticket_id: str) -> Escalation:
    """Read a ticket as it was published, masked. Raises UnknownTicket."""
    rows = await database.read(tenant, "read_ticket", tenant=tenant, ticket_id=ticket_id)
    if not rows:
        raise UnknownTicket(tenant, ticket_id)
    return _unseal(rows[0], sealer)


async def open_ticket(
    database: Database, sealer: Sealer, tenant: str, ticket_id: str, *, reader: str, now: datetime
) -> OpenedTicket:
    """Read a ticket with its placeholders opened, and record that `reader` did so: the event `ticket.opened`.

    The caller has checked the reader's rights; the product itself asks only for the vault's key. The event is written
    before anything is shown. Raises UnknownTicket, Unsealable without the key, and ValueError without a
    reader.
    """
    who = check_name(reader, "opens a ticket")
    async with database.transaction(tenant) as transaction:
        rows = await transaction.run("read_ticket", tenant=tenant, ticket_id=ticket_id)
        if not rows:
            raise UnknownTicket(tenant, ticket_id)
        escalation = _unseal(rows[0], sealer)
        vault = Vault(parse_json(sealer.open(rows[0]["vault"])) if rows[0]["vault"] else {})
        key = ConversationKey(tenant, rows[0]["conversation_id"])
        await transaction.run("advance_version", **key._asdict())
        attributes = {"ticket_id": ticket_id, "reader": who}
        await announce(transaction, sealer, key, "ticket.opened", now=now, attributes=attributes)
    return _reveal(escalation, vault)


def _unseal(row: Row, sealer: Sealer) -> Escalation:
    return Escalation.model_validate_json(sealer.open(row["body"]))


def _reveal(escalation: Escalation, vault: Vault) -> OpenedTicket:
    written = escalation.model_dump_json()
    briefing = escalation.briefing
    shown = None
    if briefing is not None:
        number = vault.render(briefing.confirmation_number or "") or None
        shown = briefing.model_copy(update={"confirmation_number": number})
    return OpenedTicket(
        escalation.model_copy(
            update={
                "reason": vault.render(escalation.reason),
                "summary": vault.render(escalation.summary),
                "briefing": shown,
            }
        ),
        {placeholder: value for placeholder, value in vault.entries.items() if placeholder in written},
    )
