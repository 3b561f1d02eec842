"""Choose the parameters of each request by the family of the model that the settings name.

The agents SDK gives agents without a model of their own the parameters of its own default model; another model may
refuse them. So they are chosen here, for the model that is asked.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from agents import ModelSettings
from openai.types.shared import Reasoning

from schema.errors import InvalidSettings
from worker.models.families import family_of, find_refused_parameters

if TYPE_CHECKING:
    from schema.settings.models import ParameterSettings

_ENCRYPTED = "reasoning.encrypted_content"
_RESPONSES = "openai:"
_OFFICIAL = re.compile(r"https://api\.openai\.com(?:[:/]|$)")


def choose_parameters(settings: ParameterSettings) -> ModelSettings:
    """Return the parameters of every request; raises InvalidSettings for those that the model is known to refuse."""
    problems = find_refused_parameters(settings)
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
