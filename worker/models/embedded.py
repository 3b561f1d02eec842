"""Be a model without a network: what the embedded models share is how they meet the SDK, not how they think."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from agents.items import ModelResponse, TResponseInputItem, TResponseStreamEvent
from agents.models.interface import Model, ModelTracing
from agents.tracing import generation_span

from worker.models.latency import wait_as_long_as_simulated
from worker.models.output import Step, fingerprint, respond

if TYPE_CHECKING:
    from agents.agent_output import AgentOutputSchemaBase
    from agents.handoffs import Handoff
    from agents.model_settings import ModelSettings
    from agents.tool import Tool
    from openai.types.responses.response_prompt_param import ResponsePromptParam


class EmbeddedModel(Model):
    """Answer each call with one step, decided from what any model is shown: instructions, input, tools, handoffs."""

    name: str

    @abstractmethod
    def decide(self, instructions: str, items: list[dict[str, Any]], callable_names: frozenset[str]) -> Step:
        """Choose the next step; pure, and the same for the same arguments. `callable_names` holds handoffs too."""

    async def get_response(  # noqa: PLR0917 - the SDK's signature
        self,
        system_instructions: str | None,
        input: str | list[TResponseInputItem],  # noqa: A002 - the SDK passes it by this name
        model_settings: ModelSettings,  # noqa: ARG002 - the SDK's signature
        tools: list[Tool],
        output_schema: AgentOutputSchemaBase | None,  # noqa: ARG002 - the SDK's signature
        handoffs: list[Handoff],
        tracing: ModelTracing,
        *,
        previous_response_id: str | None,  # noqa: ARG002 - the SDK's signature
        conversation_id: str | None,  # noqa: ARG002 - the SDK's signature
        prompt: ResponsePromptParam | None,  # noqa: ARG002 - the SDK's signature
    ) -> ModelResponse:
        """Decide the next step and give it as the SDK's response."""
        with generation_span(model=self.name, disabled=tracing.is_disabled()) as span:
            await wait_as_long_as_simulated()
            items: list[Any] = [{"role": "user", "content": input}] if isinstance(input, str) else list(input)
            names = frozenset({tool.name for tool in tools} | {handoff.tool_name for handoff in handoffs})
            step = self.decide(system_instructions or "", items, names)
            characters = len(system_instructions or "") + sum(len(str(item)) for item in items)
            response = respond(step, fingerprint(system_instructions, input), characters)
            span.span_data.usage = {
                "input_tokens": response.usage.input_tokens,
                "output_tokens": response.usage.output_tokens,
            }
        return response

    def stream_response(self, *_args: Any, **_kwargs: Any) -> AsyncIterator[TResponseStreamEvent]:
        """Refuse: a turn's outcome is committed whole, so nothing is streamed."""
        raise NotImplementedError("embedded models do not stream")
