"""Compute what a model call costs, from the price table in the settings."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from agents.usage import Usage

    from schema.settings.models import ModelPrice

_MILLION = Decimal(1_000_000)
_CHARACTERS_PER_TOKEN = 4
_TOOL_TOKENS = 150
_ANSWER_TOKENS = 500


class Tokens(NamedTuple):
    """Token counts of a call; `cached` are part of `input`."""

    input: int
    cached: int
    output: int

    @property
    def total(self) -> int:
        """Return what a provider's limit on tokens counts."""
        return self.input + self.output


def tokens_of(usage: Usage) -> Tokens:
    """Return the tokens that a provider counted."""
    return Tokens(
        usage.input_tokens, min(usage.input_tokens_details.cached_tokens or 0, usage.input_tokens), usage.output_tokens
    )


def estimate_tokens(asked: Mapping[str, Any]) -> Tokens:
    """Estimate a call's tokens before it is made, by rules of thumb for English, a tool's definition and an answer.

    `asked` holds what `Model.get_response` takes, by keyword.
    """
    items = asked["input"]
    characters = len(asked["system_instructions"] or "") + (
        len(items) if isinstance(items, str) else sum(len(str(item)) for item in items)
    )
    callables = len(asked["tools"]) + len(asked["handoffs"])
    return Tokens(characters // _CHARACTERS_PER_TOKEN + callables * _TOOL_TOKENS, 0, _ANSWER_TOKENS)


def cost_usd(tokens: Tokens, price: ModelPrice | None) -> Decimal | None:
    """Return what tokens cost; None for a model without a price."""
    if price is None:
        return None
    cached_price = price.input if price.cached_input is None else price.cached_input
    fresh = tokens.input - tokens.cached
    return (fresh * price.input + tokens.cached * cached_price + tokens.output * price.output) / _MILLION
