"""Say what becomes of a mailbox entry that cannot be read: mended from the inbox, given up, or kept apart."""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

import structlog
from pydantic import ValidationError

from ops.runtime.database import Database
from ops.runtime.encoding import parse_json
from ops.runtime.sealing import Sealer
from schema.errors import Unsealable
from schema.ids import ConversationKey, ticket_id_of
from schema.messages import Envelope, Inbound, Reply, encode_envelope
from schema.settings import Settings
from worker.mailbox import Head, Mailbox
from worker.pipeline.hydrate import Undecodable, open_letter
from worker.pipeline.outcome import Done, Letter, Mend

_log = structlog.get_logger("fte.turn")

_POSITION_MAX = 2**53
_UNKNOWN = "(unknown)"


@dataclass(frozen=True)
class Unread:
    """Deal with entries that are no message of ours, or no longer; the inbox is asked before anything is given up."""

    settings: Settings
    database: Database
    sealer: Sealer
    mailbox: Mailbox

    async def examine(self, key: ConversationKey, head: Head, reason: str) -> Letter | Mend | Done:
        """Find what an unreadable entry stood for.

        The inbox has every accepted message whole, so a damaged entry is replaced by what stands there. A message that
        the inbox cannot give back either, and an entry that it does not know, are Letters without words, for a turn to
        give up.
        """
        position = _position_in(head.raw)
        if position is None:
            return await self._examine_nameless(key, head, reason)
        names = {"tenant": key.tenant, "conversation": key.conversation}
        rows = await self.database.read(key.tenant, "read_message", position=position, **names)
        if not rows:
            return self._nobodys(key, head, reason)
        row = rows[0]
        if row["state"] != "accepted":
            _log.warning("mailbox.damaged", **names, position=position, found=row["state"])
            return Done()
        envelope = Envelope(position=position, message_id=row["message_id"], payload=row["payload"])
        try:
            open_letter(self.sealer, key, Head(encode_envelope(envelope).encode(), head.attempts))
        except Undecodable as error:
            return self._without_words(key, head, row, str(error))
        _log.warning("mailbox.mended", **names, position=position, reason=reason)
        return Mend([row])

    def stray(self, letter: Letter, head: Head) -> Letter:
        """Make a letter one that the inbox does not know: the whole entry is kept, under a name of its own.

        The name is the entry's, so that a turn which is run again opens the same ticket.
        """
        if letter.stray:
            return letter
        number = _POSITION_MAX + int.from_bytes(sha256(head.raw).digest()[:6])
        payload = self.sealer.seal(head.raw.decode(errors="backslashreplace"))
        return replace(letter, position=number, payload=payload, stray=True)

    async def is_kept(self, letter: Letter) -> bool:
        """Say whether a stray entry was given up before: by an attempt that died before it took the entry away."""
        ticket_id = ticket_id_of(letter.key, letter.position)
        return bool(
            await self.database.read(letter.key.tenant, "read_ticket", tenant=letter.key.tenant, ticket_id=ticket_id)
        )

    async def keep(self, letter: Letter) -> Done:
        """Keep a stray entry of a conversation that nobody has heard of: there is no one to tell, and no ticket."""
        await self.database.read(
            letter.key.tenant,
            "bury_letter",
            tenant=letter.key.tenant,
            conversation=letter.key.conversation,
            message_id=None,
            reason=letter.unreadable or "no such message was accepted",
            attempts=letter.attempts,
            payload=letter.payload,
        )
        _log.error("mailbox.undecodable", tenant=letter.key.tenant, conversation=letter.key.conversation)
        return Done()

    async def _examine_nameless(self, key: ConversationKey, head: Head, reason: str) -> Letter | Done:
        """Tell a damaged message from an entry that never was one: by whether the mailbox lacks what the inbox has."""
        rows = await self.database.read(
            key.tenant,
            "find_waiting",
            tenant=key.tenant,
            conversation=key.conversation,
            up_to=_POSITION_MAX,
            messages_max=self.settings.reconcile_messages_max,
        )
        missing = await self.mailbox.restore(key, rows)
        if not missing:
            return self._nobodys(key, head, reason)
        _log.warning(
            "mailbox.mended", tenant=key.tenant, conversation=key.conversation, messages=missing, reason=reason
        )
        return Done()

    def _nobodys(self, key: ConversationKey, head: Head, reason: str) -> Letter:
        name = f"stray-{sha256(head.raw).hexdigest()[:32]}"
        row = {"message_id": name, "channel": "chat", "position": 1, "payload": "", "last_reply": None}
        return self.stray(self._without_words(key, head, row, reason), head)

    def _without_words(self, key: ConversationKey, head: Head, row: dict[str, Any], reason: str) -> Letter:
        """Stand in for a message that nobody can read: its turn never looks at the words, and gives it up."""
        address = self._address_in(row["last_reply"])
        inbound = Inbound(
            message_id=row["message_id"],
            tenant=key.tenant,
            conversation=key.conversation,
            channel=row["channel"],
            sender=address or _UNKNOWN,
            text=_UNKNOWN,
        )
        return Letter(
            key,
            row["position"],
            inbound,
            row["payload"],
            head.attempts,
            unreadable=reason,
            reachable=address is not None,
        )

    def _address_in(self, sealed_reply: str | None) -> str | None:
        """Give the customer's address as the newest reply on the channel has it; None when none tells."""
        if sealed_reply is None:
            return None
        try:
            return Reply.model_validate_json(self.sealer.open(sealed_reply)).recipient
        except (Unsealable, ValidationError):
            return None


def _position_in(raw: bytes) -> int | None:
    """Read the position in an entry that is no envelope; None when it has none, or one that no message can have."""
    try:
        entry = parse_json(raw)
    except ValueError:
        return None
    position = entry.get("position") if isinstance(entry, dict) else None
    return position if type(position) is int and 1 <= position < _POSITION_MAX else None
