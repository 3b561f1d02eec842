"""Open tickets with their private values, for the people who answer them, and record who did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ops.desk.desk import REASON_CHARACTERS_MAX, ActRequest
from runtime.database import Database, Row
from runtime.encoding import parse_json
from runtime.sealing import Sealer
from schema.errors import FteError
from schema.ids import ConversationKey
from schema.messages.escalation import Escalation
from worker.conversation.vault import Vault
from worker.outbound.announcing import announce

if TYPE_CHECKING:
    from ops.desk.desk import Desk
    from ops.desk.roles import Who


class UnknownTicket(FteError):
    """A ticket that its tenant does not have."""

    def __init__(self, tenant: str, ticket_id: str) -> None:
        super().__init__(f"no ticket {ticket_id} of tenant {tenant}; see --tenant, and `fte escalations`")
        self.tenant = tenant
        self.ticket_id = ticket_id


class InvalidReason(FteError):
    """Private values are not shown without a reason of a fitting length."""

    def __init__(self, length: int) -> None:
        super().__init__(
            f"say why in 1 to {REASON_CHARACTERS_MAX} characters, not {length}: it goes on record with who opened it"
        )


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


async def open_ticket(desk: Desk, who: Who, tenant: str, ticket_id: str, *, reason: str) -> OpenedTicket:
    """Read a ticket with its placeholders opened, and record who did so and why.

    An agent opens the tickets of a conversation that they have, a supervisor those of any. The record, in the history
    and as the event `ticket.opened`, is written before anything is shown.

    Raises UnknownTicket; NotAtDesk, NotAllowed; HeldByAnother, NotClaimed; InvalidReason; Unsealable without the key.
    """
    why = reason.strip()
    if not why or len(why) > REASON_CHARACTERS_MAX:
        raise InvalidReason(len(why))
    async with desk.authorised(tenant, who, "open_ticket") as (transaction, _):
        rows = await transaction.run("read_ticket", tenant=tenant, ticket_id=ticket_id)
    if not rows:
        raise UnknownTicket(tenant, ticket_id)
    key = ConversationKey(tenant, rows[0]["conversation_id"])
    async with desk.act(who, key, "open_ticket", ActRequest(reason=why)) as act:
        act.object = ticket_id
        [row] = await act.transaction.run("read_ticket", tenant=tenant, ticket_id=ticket_id)
        escalation = _unseal(row, desk.sealer)
        vault = Vault(parse_json(desk.sealer.open(row["vault"])) if row["vault"] else {})
        attributes = {"ticket_id": ticket_id, "reader": act.actor.name, "role": act.actor.role}
        await announce(act.transaction, desk.sealer, key, "ticket.opened", now=act.now, attributes=attributes)
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
