"""Base of models without a network: what the embedded models share is how they meet the SDK, not how they decide."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator
from typing import Any

from agents.items import ModelResponse, TResponseInputItem, TResponseStreamEvent
from agents.models.interface import Model
from agents.tracing import generation_span

from worker.models.latency import wait_as_long_as_simulated
from worker.models.output import Step, fingerprint, respond


class EmbeddedModel(Model):
    """Model that answers each call with one step, decided from instructions, input, tools and handoffs."""

    name: str

    @abstractmethod
    def decide(self, instructions: str, items: list[dict[str, Any]], callable_names: frozenset[str]) -> Step:
        """Choose the next step; pure, and the same for the same arguments. `callable_names` holds handoffs too."""

    async def get_response(self, *args: Any, **kwargs: Any) -> ModelResponse:
        """Decide the next step, as the SDK's response. Takes what `Model.get_response` takes, by keyword."""
        if args:
            raise TypeError("the runner passes everything by keyword")
        instructions: str | None = kwargs["system_instructions"]
        asked: str | list[TResponseInputItem] = kwargs["input"]
        with generation_span(model=self.name, disabled=kwargs["tracing"].is_disabled()) as span:
            await wait_as_long_as_simulated()
            items: list[Any] = [{"role": "user", "content": asked}] if isinstance(asked, str) else list(asked)
            names = {tool.name for tool in kwargs["tools"]} | {handoff.tool_name for handoff in kwargs["handoffs"]}
            step = self.decide(instructions or "", items, frozenset(names))
            characters = len(instructions or "") + sum(len(str(item)) for item in items)
            response = respond(step, fingerprint(instructions, asked), characters)
            usage = response.usage
            span.span_data.usage = {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens}
        return response

    def stream_response(self, *_args: Any, **_kwargs: Any) -> AsyncIterator[TResponseStreamEvent]:
        """Raise NotImplementedError: a turn's outcome is committed whole, so nothing is streamed."""
        raise NotImplementedError("embedded models do not stream")
