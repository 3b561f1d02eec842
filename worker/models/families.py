"""Find which parameters a model takes, by its name; apart from the agents SDK, which is slow to load."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from schema.settings.models import Effort, ParameterSettings


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


def find_refused_parameters(settings: ParameterSettings) -> list[str]:
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
