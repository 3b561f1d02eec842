"""Choose the parameters of each request by the family of the model that the settings name.

The agents SDK gives agents without a model of their own the parameters of its own default model; another model may
refuse them. So they are chosen here, for the model that is asked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from agents import ModelSettings
from openai.types.shared import Reasoning

from schema.errors import InvalidSettings

if TYPE_CHECKING:
    from schema.settings.models import Effort, ParameterSettings

_ENCRYPTED = "reasoning.encrypted_content"
_RESPONSES = "openai:"
_OFFICIAL = re.compile(r"https://api\.openai\.com(?:[:/]|$)")


@dataclass(frozen=True)
class Family:
    """Models that take the same parameters; `efforts` empty: it does not reason, and refuses to be told how much.

    `effort`, `verbosity`: what is sent where nothing is set. `temperature`: whether it may be set.
    """

    name: str
    models: str
    efforts: tuple[Effort, ...] = ()
    effort: Effort | None = None
    takes_verbosity: bool = False
    takes_temperature: bool = True
    is_known: bool = True

    @property
    def reasons(self) -> bool:
        """Return whether its answers may hold reasoning."""
        return bool(self.efforts) or not self.is_known


_DATED = r"(?:-\d{4}-\d{2}-\d{2})?"

FAMILIES: tuple[Family, ...] = (
    Family("GPT chat models", r"(?:gpt-5(?:\.\d+)?-chat|chatgpt)\b.*", takes_temperature=False),
    Family(
        "GPT-5",
        rf"gpt-5(?:-mini|-nano)?{_DATED}",
        ("minimal", "low", "medium", "high"),
        effort="low",
        takes_verbosity=True,
        takes_temperature=False,
    ),
    Family("GPT-5.1", rf"gpt-5\.1{_DATED}", ("none", "low", "medium", "high"), takes_verbosity=True),
    Family(
        "GPT-5.2 and later",
        rf"gpt-5\.[2-9](?:-mini|-nano|-luna|-sol|-terra)?{_DATED}",
        ("none", "low", "medium", "high", "xhigh", "max"),
        takes_verbosity=True,
    ),
    Family("o-series", rf"o[1-9](?:-mini|-pro)?{_DATED}", ("low", "medium", "high"), takes_temperature=False),
    Family("gpt-oss", r"(?:.*/)?gpt-oss\b.*", ("low", "medium", "high")),
    Family("GPT-4 and before", r"gpt-(?:4|3\.5).*"),
)
"""What each family takes, most special first.

Source: the reference of `reasoning.effort`, `text.verbosity` and `temperature` in OpenAI's API reference and model
pages, as the types of the `openai` package repeat it, and the defaults of the agents SDK for each model
(`agents/models/default_models.py`). What is not sure is not sent: without an effort, the model has its own default.
"""

_UNKNOWN = Family("", ".*", efforts=(), is_known=False)


def family_of(model_name: str) -> Family:
    """Return the family of a model by its name; one that is not known is sent what is set, and nothing else."""
    name = model_name.lower().removeprefix("openai/")
    return next((family for family in FAMILIES if re.fullmatch(family.models, name)), _UNKNOWN)


def find_problems(settings: ParameterSettings) -> list[str]:
    """Return which settings the named model is known to refuse, each with the way out."""
    family = family_of(settings.model_name)
    if settings.is_embedded_model or not family.is_known:
        return []
    problems = []
    effort = settings.model_reasoning_effort
    if effort is not None and effort not in family.efforts:
        takes = f"takes {', '.join(family.efforts)}" if family.efforts else "does not reason"
        problems.append(
            f"FTE_MODEL_REASONING_EFFORT={effort}: {settings.model_name} {takes}; choose among these, or leave it unset"
        )
    if settings.model_verbosity is not None and not family.takes_verbosity:
        problems.append(f"FTE_MODEL_VERBOSITY: {settings.model_name} does not take it; leave it unset")
    if settings.model_temperature is not None and not family.takes_temperature:
        problems.append(f"FTE_MODEL_TEMPERATURE: {settings.model_name} does not take it; leave it unset")
    return problems


def choose_parameters(settings: ParameterSettings) -> ModelSettings:
    """Return the parameters of every request; raises InvalidSettings for those that the model is known to refuse."""
    problems = find_problems(settings)
    if problems:
        raise InvalidSettings(problems)
    family = family_of(settings.model_name)
    over_responses = settings.model.startswith(_RESPONSES)
    effort = settings.model_reasoning_effort or family.effort
    extra: dict[str, Any] = {}
    if settings.model_service_tier is not None:
        extra["service_tier"] = settings.model_service_tier
    tokens_max = settings.model_output_tokens_max
    if tokens_max is not None and not over_responses and family.is_known and family.name != "gpt-oss":
        # What OpenAI calls max_tokens no longer counts reasoning, and its reasoning models refuse it.
        extra["max_completion_tokens"], tokens_max = tokens_max, None
    store = _stores(settings, over_responses=over_responses)
    return ModelSettings(
        reasoning=Reasoning(effort=effort) if effort is not None else None,
        verbosity=settings.model_verbosity or ("low" if family.takes_verbosity else None),
        temperature=settings.model_temperature,
        max_tokens=tokens_max,
        store=store,
        response_include=[_ENCRYPTED] if over_responses and store is False and family.reasons else None,
        tool_choice=settings.model_tool_choice,
        parallel_tool_calls=settings.model_parallel_tool_calls,
        extra_args=extra or None,
    )


def _stores(settings: ParameterSettings, *, over_responses: bool) -> bool | None:
    """Choose what is said of keeping requests; Chat Completions knows the word at OpenAI's own endpoint alone."""
    if settings.model_store is not None:
        return settings.model_store
    is_official = settings.openai_base_url is None or _OFFICIAL.match(settings.openai_base_url) is not None
    return False if over_responses or is_official else None


def for_call(parameters: ModelSettings, *, has_tools: bool) -> ModelSettings:
    """Return the parameters of one request: a choice among tools is sent only with tools."""
    return parameters if has_tools else replace(parameters, tool_choice=None)
