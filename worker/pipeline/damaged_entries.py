"""Handle mailbox entries that cannot be read: mended from the inbox, given up, kept apart, or left."""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

import structlog
from pydantic import ValidationError

from runtime.database import Database
from runtime.encoding import parse_json
from runtime.sealing import Sealer
from schema.errors import Unsealable
from schema.ids import ConversationKey, ticket_id_of
from schema.messages.envelope import Envelope, encode_envelope
from schema.messages.inbound import Inbound
from schema.messages.reply import Reply
from schema.messages.wire import VERSION
from schema.settings.repair import RepairSettings
from worker.mailbox.mailbox import Head, Mailbox
from worker.pipeline.hydrate import OfNewerRelease, Undecodable, open_message
from worker.pipeline.outcome import Done, Later, Mend, OpenedMessage, Repair

_log = structlog.get_logger("fte.turn")

NEWER_RELEASE_SECONDS = 5.0
"""How long a message that only a newer release reads is left alone before somebody looks at it again."""

_POSITION_MAX = 2**53
_UNKNOWN = "(unknown)"


@dataclass(frozen=True)
class DamagedEntries:
    """Handles entries that are no message of ours, no longer or not yet; the inbox is asked before any is buried."""

    settings: RepairSettings
    database: Database
    sealer: Sealer
    mailbox: Mailbox

    async def examine(
        self, key: ConversationKey, head: Head, error: Undecodable
    ) -> OpenedMessage | Mend | Later | Repair | Done:
        """Find what an unreadable entry stood for.

        The inbox has every accepted message whole, so a damaged entry is replaced by what stands there. A message that
        the inbox cannot give back either, and an entry that it does not know, are messages without words, for a turn to
        give up. An accepted message of a newer release is neither damaged nor lost: it is left to who can read it.
        """
        position, message_id = _place_in(head.raw)
        if position is None:
            return await self._examine_nameless(key, head, str(error))
        names = {"tenant": key.tenant, "conversation": key.conversation}
        rows = await self.database.read(key.tenant, "read_message", position=position, **names)
        if not rows:
            return self._nobodys(key, head, str(error))
        row = rows[0]
        if isinstance(error, OfNewerRelease) and message_id == row["message_id"]:
            # One that is answered was left by a worker that died before it took the entry away.
            return await self._leave(key, position, error) if row["state"] == "accepted" else Done()
        if row["state"] != "accepted":
            _log.warning("mailbox.damaged", **names, position=position, found=row["state"])
            return Done()
        return await self._mend(key, head, row, str(error))

    def stray(self, message: OpenedMessage, head: Head) -> OpenedMessage:
        """Return a message as one that the inbox does not know: the whole entry is kept, under a name of its own.

        The name derives from the entry, so that a turn which is run again opens the same ticket.
        """
        if message.stray:
            return message
        number = _POSITION_MAX + int.from_bytes(sha256(head.raw).digest()[:6])
        payload = self.sealer.seal(head.raw.decode(errors="backslashreplace"))
        return replace(message, position=number, payload=payload, stray=True)

    async def is_kept(self, message: OpenedMessage) -> bool:
        """Check whether a stray entry was given up before: by an attempt that died before it took the entry away."""
        ticket_id = ticket_id_of(message.key, message.position)
        return bool(
            await self.database.read(message.key.tenant, "read_ticket", tenant=message.key.tenant, ticket_id=ticket_id)
        )

    async def keep(self, message: OpenedMessage) -> Done:
        """Bury a stray entry of a conversation that nobody has heard of: there is no one to tell, and no ticket."""
        await self.database.read(
            message.key.tenant,
            "bury_letter",
            tenant=message.key.tenant,
            conversation=message.key.conversation,
            message_id=None,
            entry=message.position,
            reason=message.unreadable or "no such message was accepted",
            attempts=message.attempts,
            payload=message.payload,
        )
        _log.error("mailbox.undecodable", tenant=message.key.tenant, conversation=message.key.conversation)
        return Done()

    async def put_back(self, key: ConversationKey, *, before: int) -> int:
        """Put unanswered messages before a position back where the mailbox lacks them; returns how many it lacked."""
        rows = await self.database.read(
            key.tenant,
            "find_waiting",
            tenant=key.tenant,
            conversation=key.conversation,
            up_to=before,
            messages_max=self.settings.reconcile_messages_max,
        )
        return await self.mailbox.restore(key, rows)

    async def _mend(
        self, key: ConversationKey, head: Head, row: dict[str, Any], reason: str
    ) -> OpenedMessage | Mend | Later | Repair:
        """Replace a damaged entry by what the inbox has of its message, as far as that can be read."""
        envelope = Envelope(position=row["position"], message_id=row["message_id"], payload=row["payload"])
        try:
            open_message(self.sealer, key, Head(encode_envelope(envelope).encode(), head.attempts))
        except OfNewerRelease as newer:
            return await self._leave(key, row["position"], newer)
        except Undecodable as error:
            return self._without_words(key, head, row, str(error))
        _log.warning(
            "mailbox.mended",
            tenant=key.tenant,
            conversation=key.conversation,
            position=row["position"],
            reason=reason,
        )
        return Mend([row])

    async def _leave(self, key: ConversationKey, position: int, newer: OfNewerRelease) -> Later | Repair:
        """Leave a message to a worker of the release that wrote it: it keeps its place, and the attempt does not count.

        Read without what its version adds, it would be answered wrongly; buried, it would be lost to the worker that
        comes with the deployment. What this release can read before it comes first.
        """
        if missing := await self.put_back(key, before=position):
            return Repair(missing)
        _log.warning(
            "message.newer_release",
            tenant=key.tenant,
            conversation=key.conversation,
            position=position,
            version=newer.version,
            version_known=VERSION,
            wait_seconds=NEWER_RELEASE_SECONDS,
        )
        return Later(NEWER_RELEASE_SECONDS, counts=False)

    async def _examine_nameless(self, key: ConversationKey, head: Head, reason: str) -> OpenedMessage | Done:
        """Tell a damaged message from an entry that never was one: by whether the mailbox lacks what the inbox has."""
        missing = await self.put_back(key, before=_POSITION_MAX)
        if not missing:
            return self._nobodys(key, head, reason)
        _log.warning(
            "mailbox.mended", tenant=key.tenant, conversation=key.conversation, messages=missing, reason=reason
        )
        return Done()

    def _nobodys(self, key: ConversationKey, head: Head, reason: str) -> OpenedMessage:
        name = f"stray-{sha256(head.raw).hexdigest()[:32]}"
        row = {"message_id": name, "channel": "chat", "position": 1, "payload": "", "last_reply": None}
        return self.stray(self._without_words(key, head, row, reason), head)

    def _without_words(self, key: ConversationKey, head: Head, row: dict[str, Any], reason: str) -> OpenedMessage:
        """Return a stand-in for a message that nobody can read: its turn never looks at the words, and gives it up."""
        address = self._address_in(row["last_reply"])
        inbound = Inbound(
            message_id=row["message_id"],
            tenant=key.tenant,
            conversation=key.conversation,
            channel=row["channel"],
            sender=address or _UNKNOWN,
            text=_UNKNOWN,
        )
        return OpenedMessage(
            key,
            row["position"],
            inbound,
            row["payload"],
            head.attempts,
            unreadable=reason,
            reachable=address is not None,
        )

    def _address_in(self, sealed_reply: str | None) -> str | None:
        """Return the customer's address as the newest reply on the channel has it; None when none tells."""
        if sealed_reply is None:
            return None
        try:
            return Reply.model_validate_json(self.sealer.open(sealed_reply)).recipient
        except (Unsealable, ValidationError):
            return None


def _place_in(raw: bytes) -> tuple[int | None, object]:
    """Return position and message id of an entry that cannot be read; no position: none, or one no message can have."""
    try:
        entry = parse_json(raw)
    except ValueError:
        return None, None
    if not isinstance(entry, dict):
        return None, None
    position = entry.get("position")
    is_place = type(position) is int and 1 <= position < _POSITION_MAX
    return position if is_place else None, entry.get("message_id")
