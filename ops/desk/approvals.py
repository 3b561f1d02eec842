"""List the changes that wait for a person's yes, and decide about them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from ops.audit.acts import Act, record_act
from ops.desk.acts import InvalidAct
from ops.desk.desk import shorten
from ops.desk.replying import check_text
from schema.errors import FteError
from worker.store.approvals import decide, open_details

if TYPE_CHECKING:
    from datetime import datetime

    from ops.desk.desk import Desk
    from ops.desk.roles import Who

APPROVALS_MAX: Final = 200

_REFUSED: Final = {
    "decided": "{by} has {state} it already",
    "expired": "its time is over: it expired at {expires_at}",
    "own": "you have answered in its conversation, and somebody else has to decide",
    "human": "a person has its conversation and does it by hand",
}


class UnknownApproval(FteError):
    """An approval that its tenant does not have."""

    def __init__(self, tenant: str, approval_id: str) -> None:
        super().__init__(f"no approval {approval_id} of tenant {tenant}; `fte inbox approvals` lists what waits")


class NotDecidable(FteError):
    """A decision that comes too late, or from somebody who must not decide this one."""

    def __init__(self, approval_id: str, why: str) -> None:
        super().__init__(f"approval {approval_id} cannot be decided: {why}")


@dataclass(frozen=True)
class WaitingApproval:
    """A change that waits: what it costs, by which rule it is asked for, and until when; `summary` is masked."""

    approval_id: str
    conversation: str
    kind: str
    amount_usd: int
    policy: str
    summary: str
    requested_at: datetime
    expires_at: datetime


async def list_approvals(desk: Desk, tenant: str, who: Who) -> list[WaitingApproval]:
    """List what waits for a yes, the soonest to expire first. Raises NotAtDesk, NotAllowed."""
    async with desk.authorised(tenant, who, "decide") as (transaction, _):
        rows = await transaction.run("list_approvals", tenant=tenant, rows_max=APPROVALS_MAX)
    return [
        WaitingApproval(
            approval_id=row["approval_id"],
            conversation=row["conversation_id"],
            kind=row["kind"],
            amount_usd=row["amount_usd"],
            policy=row["policy"],
            summary=open_details(desk.sealer, row)["pending"]["summary"],
            requested_at=row["requested_at"],
            expires_at=row["expires_at"],
        )
        for row in rows
    ]


async def decide_on(
    desk: Desk,
    who: Who,
    tenant: str,
    approval_id: str,
    decision: Literal["approved", "rejected"],
    *,
    reason: str | None = None,
) -> dict[str, Any]:
    """Approve or reject a change; return the approval as it is then.

    One decision counts, whoever decides at once. It enters the conversation as a message, whose turn makes the change
    if the offer is still the same to the dollar, or tells the customer why not; of a rejection they read the reason.

    Raises UnknownApproval, NotDecidable, InvalidAct (a rejection without a reason), NotAtDesk, NotAllowed.
    """
    why = shorten(reason)
    if decision == "rejected":
        if why is None:
            raise InvalidAct("say why it is rejected: the customer reads the reason")
        check_text(why)
    accept = "accept_proven_message" if desk.database.is_fenced else "accept_message"
    async with desk.authorised(tenant, who, "decide") as (transaction, actor):
        decided = await decide(
            transaction,
            desk.sealer,
            tenant,
            approval_id,
            person=actor.name,
            decision=decision,
            reason=why,
            accept=accept,
        )
        if decided["outcome"] == "unknown":
            raise UnknownApproval(tenant, approval_id)
        if decided["outcome"] != "done":
            by = decided["decided_by"]
            words = _REFUSED[decided["outcome"]]
            raise NotDecidable(
                approval_id, words.format(by=by, state=decided["state"], expires_at=decided["expires_at"])
            )
        act = Act(f"approval.{decision}", approval_id, decided["conversation_id"], why, "waiting", decision)
        await record_act(transaction, tenant, actor.on_record(), act)
    return decided
