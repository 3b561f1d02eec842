"""Try a model with four small calls: what its endpoint can do, what to set, what a turn costs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

import openai
from agents import Agent, AgentOutputSchema, function_tool, handoff
from agents.exceptions import AgentsException
from agents.models.interface import ModelTracing
from agents.models.openai_provider import OpenAIProvider
from pydantic import BaseModel

from worker.models.client import make_client
from worker.models.failures import describe_error
from worker.models.output import check_usable
from worker.models.parameters import choose_parameters, for_call
from worker.models.prices import Tokens, cost_usd, tokens_of
from worker.models.startup import advise

if TYPE_CHECKING:
    from agents import ModelResponse
    from agents.models.interface import Model

    from schema.settings.models import ProviderSettings

TURN_TOKENS = Tokens(input=3_700, cached=0, output=200)
"""Tokens of an ordinary turn, all of its calls and their definitions of tools together, as `make tokens` measures."""

Ability = Literal["text", "tool call", "handoff", "structured output"]


class Verdict(BaseModel):
    """Form of the structured output that is asked for."""

    is_ready: bool


@dataclass(frozen=True)
class Trial:
    """One call: what was tried, whether it worked, and what to do where it did not."""

    ability: Ability
    works: bool
    milliseconds: float
    tokens: Tokens
    problem: str = ""
    advice: str = ""


@dataclass(frozen=True)
class ModelCheck:
    """Outcome of all calls; costs in USD, None without a price in FTE_MODEL_PRICES."""

    model: str
    trials: tuple[Trial, ...]
    cost_usd: Decimal | None
    turn_usd: Decimal | None

    @property
    def can_serve(self) -> bool:
        """Return whether agents can work with the model; without structured output they can."""
        return all(trial.works for trial in self.trials if trial.ability != "structured output")


@function_tool
def note_word(word: str) -> str:
    """Note a word.

    Args:
        word: The word to note.

    """
    return word


@dataclass(frozen=True)
class _Asked:
    """What one call asks, how its answer is judged, and the advice where it is found wanting."""

    ability: Ability
    instructions: str
    changes: dict[str, Any]
    works: Callable[[ModelResponse], bool]
    advice: str


def _calls(name: str) -> Callable[[ModelResponse], bool]:
    return lambda response: any(getattr(item, "name", "") == name for item in response.output)


def _is_verdict(response: ModelResponse) -> bool:
    written = [getattr(part, "text", "") for item in response.output if item.type == "message" for part in item.content]
    try:
        Verdict.model_validate_json("".join(written))
    except ValueError:
        return False
    return True


_COLLEAGUE: Agent[None] = Agent(name="Colleague")
_ASKED = (
    _Asked("text", "Answer with the one word READY.", {}, lambda _: True, ""),
    _Asked(
        "tool call",
        "Call note_word with the word READY.",
        {"tools": [note_word]},
        _calls("note_word"),
        "set FTE_MODEL_TOOL_CHOICE=auto; where that does not help, the model calls no tools: choose another",
    ),
    _Asked(
        "handoff",
        "You cannot help. Call transfer_to_colleague.",
        {"handoffs": [handoff(_COLLEAGUE)]},
        _calls("transfer_to_colleague"),
        "the model does not hand over: choose another",
    ),
    _Asked(
        "structured output",
        "Say that you are ready.",
        {"output_schema": AgentOutputSchema(Verdict)},
        _is_verdict,
        "abuse is judged in words then; FTE_ABUSE_ASKS_MODEL=false saves that call",
    ),
)


async def check_model(settings: ProviderSettings) -> ModelCheck:
    """Make the calls, one after the other, without retries; an endpoint that is away is asked once.

    Raises InvalidSettings when the key is missing, or the model is known to refuse what the settings ask of it, and
    ValueError for an embedded model.
    """
    client = make_client(settings)
    if client is None or settings.is_embedded_model:
        raise ValueError(f"FTE_MODEL={settings.model} runs in the process: there is no endpoint to check")
    provider = OpenAIProvider(openai_client=client, use_responses=settings.model.startswith("openai:"))
    model = provider.get_model(settings.model_name)
    trials: list[Trial] = []
    try:
        for asked in _ASKED:
            trials.append(await _try(model, settings, asked))
            if len(trials) == 1 and not trials[0].works:
                break
    finally:
        await client.close()
    price = settings.model_prices.get(settings.model_name)
    spent = Tokens(*(sum(counts) for counts in zip(*(trial.tokens for trial in trials), strict=True)))
    return ModelCheck(settings.model_name, tuple(trials), cost_usd(spent, price), cost_usd(TURN_TOKENS, price))


async def _try(model: Model, settings: ProviderSettings, asked: _Asked) -> Trial:
    has_tools = not {"tools", "handoffs"}.isdisjoint(asked.changes)
    request: dict[str, Any] = {
        "system_instructions": asked.instructions,
        "input": "Please go on.",
        "model_settings": for_call(choose_parameters(settings), has_tools=has_tools),
        "tools": [],
        "output_schema": None,
        "handoffs": [],
        "tracing": ModelTracing.DISABLED,
        "previous_response_id": None,
        "conversation_id": None,
        "prompt": None,
        **asked.changes,
    }
    advice = asked.advice or "the model gives nothing to go on with; FTE_MODEL_OUTPUT_TOKENS_MAX may be too low"
    started = time.perf_counter()
    tokens, problem = Tokens(0, 0, 0), ""
    try:
        async with asyncio.timeout(settings.model_call_seconds_max):
            response = await model.get_response(**request)
        tokens = tokens_of(response.usage)
        check_usable(response)
        if not asked.works(response):
            problem = "the answer holds none"
    except AgentsException as error:
        problem = describe_error(error)
    except (openai.OpenAIError, TimeoutError) as error:
        problem, advice = describe_error(error), advise(error)
    milliseconds = round((time.perf_counter() - started) * 1_000, 1)
    return Trial(asked.ability, not problem, milliseconds, tokens, problem, advice if problem else "")
