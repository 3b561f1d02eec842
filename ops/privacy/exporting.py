"""Export all that is kept of a person, opened, as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ops.audit.acts import Act, By, record_act
from ops.desk.inbox import open_act
from ops.privacy.people import find_conversations
from runtime.encoding import parse_json
from schema.errors import Unsealable
from worker.conversation.vault import Vault

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from runtime.database import Database, Row
    from runtime.sealing import Sealer


async def export_person(
    database: Database, sealer: Sealer, tenant: str, person_key: str, *, by: By, reason: str | None = None
) -> AsyncIterator[dict[str, Any]]:
    """Yield what is kept of a person, a conversation at a time; what others wrote in it is left out.

    The export is on record before anything is given out. Placeholders are filled in with the person's own values; what
    no key opens is told as such.
    """
    async with database.transaction(tenant) as transaction:
        await record_act(transaction, tenant, by, Act("person.exported", person_key, reason=reason))
    for one in await find_conversations(database, tenant, person_key):
        rows = await database.read(
            tenant, "export_conversation", tenant=tenant, conversation=one.conversation, person_key=person_key
        )
        for row in rows:
            yield {"conversation": one.conversation, **_opened(row, sealer, is_shared=one.others > 0)}


def _opened(row: Row, sealer: Sealer, *, is_shared: bool) -> dict[str, Any]:
    states = [
        {"context": _context(sealer, state["context"]), "values": _open(sealer, state["vault"]) or {}}
        for state in row["states"]
    ]
    vault = Vault({name: value for state in states for name, value in state["values"].items()})
    own = {message["message_id"] for message in row["messages"]}
    return {
        "created_at": row["created_at"],
        "messages": [{**each, "payload": _open(sealer, each["payload"])} for each in row["messages"]],
        "items": [_rendered({**each, "item": sealer.open_item(each["item"])}, vault) for each in row["items"]],
        "sent": [body for body in _sent(row, sealer) if not is_shared or own & set(body.get("in_reply_to", ()))],
        "tickets": row["tickets"],
        "acts": [] if is_shared else [open_act(act, sealer) for act in row["acts"]],
        "approvals": [] if is_shared else [_approval(sealer, each) for each in row["approvals"]],
        "dead_letters": [
            {**each, "payload": _open(sealer, each["payload"])}
            for each in row["dead_letters"]
            if not is_shared or each["message_id"] in own
        ],
        "known": states,
    }


def _sent(row: Row, sealer: Sealer) -> list[dict[str, Any]]:
    return [{"kind": each["kind"], **(_open(sealer, each["body"]) or {"unreadable": True})} for each in row["outbox"]]


def _open(sealer: Sealer, sealed: str | None) -> Any:
    """Open sealed JSON; None where there is none, or no key opens it."""
    if not sealed:
        return None
    try:
        return parse_json(sealer.open(sealed))
    except (Unsealable, ValueError):
        return None


def _approval(sealer: Sealer, approval: dict[str, Any]) -> dict[str, Any]:
    reason, details = approval["reason"], _open(sealer, approval["details"])
    try:
        reason = reason and sealer.open_text(reason)
    except Unsealable:
        reason = None
    return {**approval, "reason": reason, "details": details}


def _context(sealer: Sealer, context: dict[str, Any]) -> dict[str, Any]:
    try:
        return sealer.open_fields(context)
    except Unsealable:
        return {"unreadable": True}


def _rendered(value: Any, vault: Vault) -> Any:
    """Fill placeholders in, in every text."""
    if isinstance(value, str):
        return vault.render(value)
    if isinstance(value, list):
        return [_rendered(each, vault) for each in value]
    if isinstance(value, dict):
        return {name: _rendered(each, vault) for name, each in value.items()}
    return value
