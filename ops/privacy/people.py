"""Find a person, who is a channel and an address, and what is theirs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from schema.channels import CHANNELS
from schema.errors import FteError

if TYPE_CHECKING:
    from runtime.database import Database
    from runtime.sender_keys import SenderKeys

_KEY: Final = re.compile(r"[0-9a-f]{64}")


class PersonInvalid(FteError):
    """A person is named by a channel and an address, or by the key that a receipt gives."""

    def __init__(self) -> None:
        known = ", ".join(CHANNELS)
        super().__init__(f"a person is CHANNEL:ADDRESS, with the channel one of {known}, or the key of a receipt")


@dataclass(frozen=True, slots=True)
class TheirConversation:
    """One conversation that a person wrote in."""

    conversation: str
    others: int
    """How many other people wrote in it."""
    is_held: bool
    """Whether it, or somebody who wrote in it, is on legal hold."""


def person_key_of(senders: SenderKeys, tenant: str, person: str) -> str:
    """Return the key of a person named as `sms:+15550100`, or by the key itself; raises PersonInvalid."""
    if _KEY.fullmatch(person):
        return person
    channel, _, address = person.partition(":")
    if channel not in CHANNELS or not address.strip():
        raise PersonInvalid
    return senders.key_of(tenant, channel, address)


async def find_conversations(database: Database, tenant: str, person_key: str) -> list[TheirConversation]:
    """List the conversations that a person wrote in."""
    rows = await database.read(tenant, "find_conversations_of_person", tenant=tenant, person_key=person_key)
    return [TheirConversation(row["conversation_id"], row["others"], row["is_held"]) for row in rows]
