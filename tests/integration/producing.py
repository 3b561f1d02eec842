"""Make messages, and look at where they ended up."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from runtime.database import connect
from schema.ids import ConversationKey
from schema.keys import mailbox_keys
from schema.tasks import DOORBELL_QUEUE

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from schema.settings import Settings

SECRET_TEXT = "My code is HJK456, please help"
SENDER = "ada.okafor@example.com"


def message(tenant: str, number: int = 1, *, conversation: str = "c-1", **changed: Any) -> dict[str, Any]:
    """Make the how manieth message of a conversation, as a gateway hands it in."""
    made = {
        "message_id": f"{conversation}/{number}",
        "tenant": tenant,
        "conversation": conversation,
        "channel": "email",
        "sender": SENDER,
        "text": SECRET_TEXT,
    }
    return made | changed


async def positions(redis: Redis, settings: Settings, tenant: str, conversation: str = "c-1") -> list[int]:
    """Read the positions in a conversation's mailbox, oldest first."""
    key = mailbox_keys(ConversationKey(tenant, conversation), settings.partitions).mailbox
    entries: Any = await redis.lrange(key, 0, -1)
    return [json.loads(entry)["position"] for entry in entries]


async def bells(redis: Redis, tenant: str) -> list[str]:
    """Read for which conversations of a tenant a doorbell is in the workers' queue, oldest first."""
    queued: Any = await redis.lrange(DOORBELL_QUEUE, 0, -1)
    rung = [json.loads(base64.b64decode(json.loads(bell)["body"]))[0] for bell in reversed(queued)]
    return [conversation for of, conversation in rung if of == tenant]


def inbox(settings: Settings, tenant: str) -> list[dict[str, Any]]:
    """Read a tenant's inbox in order of conversation and position."""
    assert settings.database_url is not None
    with connect(settings.database_url) as connection:
        return connection.execute(
            "SELECT message_id, conversation_id, position, state, payload FROM inbox WHERE tenant_id = %s "
            "ORDER BY conversation_id, position",
            [tenant],
        ).fetchall()


def accept_several_parameters(tenant: str, *message_ids: str) -> dict[str, Any]:
    """Give what the statements accept_messages and accept_proven_messages take."""
    one = accept_parameters(tenant, "")
    return {
        "tenant": tenant,
        "waiting_max": one["waiting_max"],
        "message_ids": list(message_ids),
        **{f"{name}s": [one[name]] * len(message_ids) for name in ("conversation", "channel", "payload", "sender_key")},
    }


def accept_parameters(tenant: str, message_id: str) -> dict[str, Any]:
    """Give what the statement accept_message takes."""
    return {
        "tenant": tenant,
        "conversation": "c-1",
        "message_id": message_id,
        "channel": "email",
        "payload": "sealed",
        "sender_key": None,
        "waiting_max": 10,
    }
