"""Run real drains on real servers around a brain that the test scripts: one agent, one function for a model."""

from __future__ import annotations

import re
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from agents import Agent, Model, ModelProvider, ModelResponse, Usage
from agents.testing import assistant_message

from runtime.database import Database
from runtime.encoding import parse_json
from runtime.loops import Loops
from runtime.outage import Outages
from runtime.redis import make_redis
from runtime.sealing import Sealer
from runtime.sender_keys import SenderKeys
from runtime.startup import check_deployment
from runtime.switches import Switches
from runtime.telemetry.logs import configure_logs
from schema.channels import Channel
from schema.ids import ConversationKey
from schema.keys import escalations_stream, events_stream, mailbox_keys, replies_stream
from schema.messages.envelope import Envelope
from schema.messages.inbound import Inbound
from schema.settings import Settings
from tests.unit.airline_stand_ins import MemoryKnowledge
from worker.agents.pool import GraphPool
from worker.conversation.context import TurnContext
from worker.conversation.run_spans import configure_tracing
from worker.domains.airline.domain import AIRLINE
from worker.mailbox.mailbox import Mailbox
from worker.pipeline.act import Brain
from worker.process.service import Servers, WorkerService, compose

Think = Callable[[str], Awaitable[Any]]
"""Answers the newest text of the customer: a text, or the SDK's output items; or raises."""


async def echo(text: str) -> str:
    """Think nothing of it, and tell nothing of a number that was removed."""
    return "you said: " + re.sub(r"\[[A-Z_]+\]", "a number", text)


class ScriptedBrainModel(Model):
    """Ask the test's function; counts its calls."""

    def __init__(self, think: Think) -> None:
        self._think = think
        self.asked: list[str] = []
        self.inputs: list[list[Any]] = []

    async def get_response(self, *_: Any, **kwargs: Any) -> ModelResponse:
        items = kwargs["input"]
        items = [{"role": "user", "content": items}] if isinstance(items, str) else items
        text = next(item["content"] for item in reversed(items) if item.get("role") == "user")
        self.asked.append(text)
        self.inputs.append(list(items))
        answer = await self._think(text)
        output = [assistant_message(answer)] if isinstance(answer, str) else answer
        return ModelResponse(output=output, usage=Usage(requests=1, input_tokens=3, output_tokens=2), response_id=None)

    def stream_response(self, *_: Any, **__: Any) -> Any:
        raise NotImplementedError


class OneModel(ModelProvider):
    """Give the one model."""

    def __init__(self, model: Model) -> None:
        self._model = model

    def get_model(self, model_name: str | None) -> Model:
        del model_name
        return self._model


class OneAgent:
    """Stand in for the airline's graph: one agent without tools, or with those given."""

    def __init__(self, tools: list[Any] | None = None) -> None:
        self.agent: Agent[TurnContext] = Agent(name="Triage Agent", instructions="answer", tools=tools or [])

    def start(self, last_agent: str | None) -> Agent[TurnContext]:
        del last_agent
        return self.agent

    @property
    def by_name(self) -> dict[str, Agent[TurnContext]]:
        return {self.agent.name: self.agent}


@dataclass
class Harness:
    """Hold one worker under test, in this process, and what a test needs to look at."""

    settings: Settings
    service: WorkerService
    model: ScriptedBrainModel
    tenant: str
    rung: list[ConversationKey] = field(default_factory=list)

    @property
    def database(self) -> Database:
        return self.service.servers.database

    @property
    def mailbox(self) -> Mailbox:
        return self.service.drainer.mailbox

    def key(self, conversation: str) -> ConversationKey:
        return ConversationKey(self.tenant, conversation)

    async def accept(
        self,
        conversation: str,
        text: str,
        *,
        message_id: str | None = None,
        enqueue: bool = True,
        metadata: dict[str, str] | None = None,
        channel: Channel = "chat",
        sender: str = "ada@example.com",
        knows_sender: bool = True,
    ) -> str:
        """Accept a message as the producer does; without `enqueue` as if it died before it reached the mailbox.

        Without `knows_sender` as a producer of the release before sender keys.
        """
        message_id = message_id or uuid.uuid4().hex
        inbound = Inbound(
            message_id=message_id,
            tenant=self.tenant,
            conversation=conversation,
            channel=channel,
            sender=sender,
            text=text,
            sent_at=datetime.now(UTC),
            metadata=metadata or {},
        )
        payload = self.service.servers.sealer.seal(inbound.model_dump_json())
        sender_key = self.service.servers.senders.key_of_message(inbound) if knows_sender else None
        rows = await self.database.read(
            self.tenant,
            "accept_message",
            tenant=self.tenant,
            conversation=conversation,
            message_id=message_id,
            channel=channel,
            payload=payload,
            sender_key=sender_key,
            waiting_max=1_000,
        )
        assert rows[0]["status"] == "accepted"
        if enqueue:
            envelope = Envelope(position=rows[0]["at_position"], message_id=message_id, payload=payload)
            await self.mailbox.append(self.key(conversation), [envelope])
        return message_id

    async def drain(self, conversation: str) -> None:
        await self.service.drainer.drain(self.key(conversation))

    async def entries(self, stream: str) -> list[dict[str, Any]]:
        """Read a whole outbound stream; bodies parsed."""
        entries: Any = await self.service.servers.redis.xrange(stream)
        return [
            {name.decode(): parse_json(value) if name == b"body" else value.decode() for name, value in fields.items()}
            for _, fields in entries
        ]

    async def replies(self) -> list[dict[str, Any]]:
        return [entry["body"] for entry in await self.entries(replies_stream(self.tenant, "chat"))]

    async def escalations(self) -> list[dict[str, Any]]:
        return [entry["body"] for entry in await self.entries(escalations_stream(self.tenant))]

    async def events(self) -> list[dict[str, Any]]:
        return [entry["body"] for entry in await self.entries(events_stream(self.tenant))]

    async def waiting(self, conversation: str) -> int:
        keys = mailbox_keys(self.key(conversation), self.settings.partitions)
        return int(await self.service.servers.redis.llen(keys.mailbox))

    async def query(self, sql: str, *parameters: Any) -> list[dict[str, Any]]:
        """Look into the database, at this tenant's rows."""
        async with self.database.transaction(self.tenant) as transaction:
            cursor = await transaction.connection.execute(sql, parameters)
            return await cursor.fetchall()

    async def answer_and_die(self, conversation: str) -> None:
        """Bring the head to its outcome, and acknowledge nothing: as a worker that dies after its commit."""
        acquired = await self.mailbox.acquire(self.key(conversation))
        assert not isinstance(acquired, str)
        lease, head = acquired
        await self.service.drainer.turn.run(lease.key, head)
        await self.mailbox.release(lease)

    async def close(self) -> None:
        await self.service.close()


async def make_harness(
    settings: Settings,
    sealer: Sealer,
    tenant: str,
    think: Think = echo,
    *,
    tools: list[Any] | None = None,
    backend: Any = None,
    make_brain: Callable[[Database, SenderKeys], Brain] | None = None,
) -> Harness:
    """Put a worker together on the servers of `settings`, with connections of its own and the brain given, if any."""
    configure_logs(settings)
    configure_tracing(settings)
    database = Database(settings)
    await database.open()
    senders = await check_deployment(database, sealer)
    model = ScriptedBrainModel(think)
    brain = (
        make_brain(database, senders)
        if make_brain
        else _scripted_brain(settings, model, tools, backend, Switches(database))
    )
    rung: list[ConversationKey] = []

    async def ring(keys: list[ConversationKey]) -> None:
        rung.extend(keys)

    redis = make_redis(settings)
    service = compose(settings, Servers(database, redis, sealer, Loops(Outages(settings)), senders), brain, ring)
    service.resources.push_async_callback(database.close)
    service.resources.push_async_callback(redis.aclose)
    service.resources.push_async_callback(brain.provider.aclose)
    return Harness(settings, service, model, tenant, rung)


def _scripted_brain(
    settings: Settings, model: Model, tools: list[Any] | None, backend: Any, switches: Switches
) -> Brain:
    return Brain(
        graphs=GraphPool(lambda: OneAgent(tools)),
        provider=OneModel(model),
        guardrails=[],
        backend=backend,
        knowledge=MemoryKnowledge(),
        guesses=None,  # type: ignore[arg-type]
        settings=settings,
        domain=AIRLINE,
        switches=switches,
    )


MakeHarness = Callable[..., Awaitable[Harness]]
"""Makes workers that share the test's tenant: `await worker(think, tools=…, **changed_settings)`."""
