"""Record what an operator or a person of the desk did, in the transaction of the act itself.

Each tenant has a chain of entries: an entry's hash covers the hash of the one before. What may have to be erased of an
entry (the object's id, the reason) stands beside the chain, which holds a salted hash of it.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from runtime.database import EVERY_TENANT
from runtime.encoding import dump_canonical

if TYPE_CHECKING:
    from runtime.database import Transaction

DEPLOYMENT_CHAIN: Final = EVERY_TENANT
"""The chain of acts that belong to no tenant: operators' keys, and the deletion of tenants."""

NAME_CHARACTERS_MAX: Final = 200
REASON_CHARACTERS_MAX: Final = 1_000
SALT_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, as what, and from where. Raises ValueError for a name that cannot go on record."""

    name: str
    role: str = "operator"
    address: str | None = None
    """Where the request came from; None: a command on a machine of the deployment."""

    def __post_init__(self) -> None:
        """Check the name."""
        if not self.name.strip() or len(self.name) > NAME_CHARACTERS_MAX:
            raise ValueError(f"who acts is named in 1 to {NAME_CHARACTERS_MAX} characters, not {len(self.name)}")


By = Actor | str
"""Who acts: a name alone is an operator's, at the command line."""


@dataclass(frozen=True, slots=True)
class Act:
    """What was done to what, and why."""

    operation: str
    """Such as `conversation.taken_over`: what it was done to, a point, and what was done, in the past."""
    object: str
    """The object's id; its kind is the operation's first word."""
    conversation: str | None = None
    """The conversation that the object belongs to: erasing that erases object and reason here."""
    reason: str | None = None
    before: Any = None
    """What was so before, as JSON can say it; only a keyed hash is stored."""
    after: Any = None


def actor_of(by: By) -> Actor:
    """Return who acts; raises ValueError for a name that cannot go on record."""
    return by if isinstance(by, Actor) else Actor(by.strip())


async def record_act(transaction: Transaction, tenant: str, by: By, act: Act) -> int:
    """Append an act to the tenant's chain and return its number there; None of it is kept unless the act is.

    Call it last in the transaction: the head of the chain is locked until that ends. `tenant` may be DEPLOYMENT_CHAIN
    where the transaction speaks for every tenant. Raises ValueError for a name that cannot go on record.
    """
    rows = await transaction.run("record_act", **parameters_of(tenant, by, act))
    return int(rows[0]["number"])


def parameters_of(tenant: str, by: By, act: Act) -> dict[str, Any]:
    """Return the parameters of `record_act.sql`, for who has a connection of another kind."""
    actor = actor_of(by)
    salt = secrets.token_bytes(SALT_BYTES)
    return {
        "tenant": tenant,
        "actor": actor.name,
        "role": actor.role,
        "address": actor.address,
        "operation": act.operation,
        "object_kind": act.operation.partition(".")[0],
        "before": value_hash(salt, act.before),
        "after": value_hash(salt, act.after),
        "salt": salt,
        "object": act.object,
        "conversation": act.conversation,
        "reason": act.reason[:REASON_CHARACTERS_MAX] if act.reason else None,
    }


def value_hash(salt: bytes, value: Any) -> bytes | None:
    """Return the keyed hash under which a value before or after an act is recorded; None for nothing."""
    return None if value is None else hmac.digest(salt, dump_canonical(value), hashlib.sha256)
