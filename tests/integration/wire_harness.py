"""Run workers with the airline's agents over the true client of either API, and answer them as endpoints do."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import SecretStr

from tests.integration.airline_worker import make_airline_worker
from tests.integration.model_endpoint import Endpoint, Raw, completion_of, response_of, say
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from runtime.sealing import Sealer
    from schema.settings import Settings
    from tests.integration.worker_harness import Harness

RESPONSES, CHAT = "openai:gpt-x", "openai-chat:gpt-x"
both = pytest.mark.parametrize("model", [RESPONSES, CHAT])


@asynccontextmanager
async def a_worker(
    settings: Settings, sealer: Sealer, tenant: str, endpoint: Endpoint, model: str, **changes: Any
) -> AsyncIterator[Harness]:
    """Run a worker with the airline's agents, whose model is behind the endpoint; abuse is judged locally."""
    changed = {
        "model": model,
        "openai_api_key": SecretStr("sk-test"),
        "openai_base_url": endpoint.url,
        "backoff_seconds": 0.01,
        "backoff_seconds_max": 0.02,
        "abuse_asks_model": False,
        "route_locally": False,
        **changes,
    }
    harness = await make_airline_worker(settings.model_copy(update=changed), sealer, tenant)
    try:
        yield harness
    finally:
        await harness.close()


async def turn_of(harness: Harness, conversation: str, text: str) -> tuple[dict[str, Any], str]:
    """Send one message and drain until it is answered; gives the turn's record and the reply."""
    message_id = await harness.accept(conversation, text)

    async def is_answered() -> bool:
        await harness.drain(conversation)
        return not await harness.waiting(conversation)

    await eventually(is_answered, within_seconds=60)
    found = await harness.query("SELECT * FROM turn WHERE message_ids = ARRAY[%s]", message_id)
    replies = [reply["text"] for reply in await harness.replies() if reply["in_reply_to"] == [message_id]]
    assert (len(found), len(replies)) == (1, 1)
    return found[0], replies[0]


def answered_by(turn: dict[str, Any]) -> list[str]:
    return [call["model"] for call in turn["model_calls"]]


async def no_dead_letter(harness: Harness) -> bool:
    return await harness.query("SELECT FROM dead_letter") == []


def shaped(model: str, of_responses: dict[str, Any], of_chat: dict[str, Any]) -> Raw:
    """Write an answer in the API's form with parts of it changed."""
    if model == RESPONSES:
        return Raw({**response_of(say("x"), 1), **of_responses})
    body = completion_of(say("x"), 1)
    body["choices"][0].update(of_chat)
    return Raw(body)


def raw_call(model: str, name: str, arguments: Any, call_id: Any = "c1") -> Raw:
    """Write one call with arguments and an id as they are given."""
    item = {"type": "function_call", "id": "fc_1", "call_id": call_id, "name": name, "arguments": arguments}
    told = {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}
    message = {"role": "assistant", "content": None, "tool_calls": [told]}
    return shaped(model, {"output": [item]}, {"message": message, "finish_reason": "tool_calls"})
