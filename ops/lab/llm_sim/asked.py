"""Requests to a simulated model and its answers, apart from any wire format; the local model decides them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from runtime.encoding import dump_canonical
from worker.domains.airline.claims import load_vocabulary
from worker.domains.airline.local.model import LocalModel
from worker.guardrails.abuse import assess_abuse
from worker.guardrails.relevance import assess_relevance
from worker.models.output import CHARACTERS_PER_TOKEN, Call, Calls, Say

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class BadRequest(Exception):
    """A request that cannot be answered; the text goes back to the client, with status 400."""


@dataclass(frozen=True)
class Asked:
    """One request: `items` are those of the Responses API, `schema` is that of the JSON wanted, if any."""

    model: str
    instructions: str
    items: list[dict[str, Any]]
    callable_names: frozenset[str]
    schema: Mapping[str, Any] | None
    defined_characters: int = field(default=0, compare=False)
    """How long the definitions of tools, handoffs and the schema are, as JSON."""

    @cached_property
    def input_hash(self) -> str:
        """Return 24 hex digits that are the same for the same question, and are part of its answer's ids."""
        names = sorted(self.callable_names)
        return hashlib.sha256(dump_canonical([self.instructions, self.items, names, self.schema])).hexdigest()[:24]

    @property
    def tokens(self) -> int:
        """Return the estimated size of the question, in tokens."""
        said = len(self.instructions) + sum(len(str(item)) for item in self.items)
        return (said + self.defined_characters) // CHARACTERS_PER_TOKEN

    @property
    def newest_text(self) -> str:
        """Return the user's last message."""
        said = [text_of(item.get("content")) for item in self.items if item.get("role") == "user"]
        return said[-1] if said else ""


@dataclass(frozen=True)
class Output:
    """A model's answer; a call's `text` is its arguments as JSON, and `beside` it are calls of the same answer."""

    kind: Literal["text", "refusal", "call"]
    text: str
    name: str = ""
    beside: tuple[Output, ...] = ()

    @property
    def calls(self) -> tuple[Output, ...]:
        """Return the calls of the answer; empty for a text."""
        return (self, *self.beside) if self.kind == "call" else ()

    @property
    def tokens(self) -> int:
        """Return the estimated size of the answer, in tokens."""
        return sum(len(part.name) + len(part.text) for part in (self, *self.beside)) // CHARACTERS_PER_TOKEN


@dataclass(frozen=True)
class WireFormat:
    """Parser and writer of one API's bodies. `read` raises BadRequest, or whatever an unexpected body leads to."""

    name: str
    read: Callable[[Mapping[str, Any]], Asked]
    write: Callable[[Asked, Output, int], dict[str, Any]]


def think(asked: Asked) -> Output:
    """Answer a request, the same for the same question. Raises BadRequest for a JSON schema that it cannot fill in."""
    if asked.schema is not None:
        return Output("text", json.dumps(_fill_in(asked.schema, asked.newest_text)))
    step = LocalModel().decide(asked.instructions, asked.items, asked.callable_names)
    if isinstance(step, Say):
        return Output("text", step.text)
    first, *others = (_call(one) for one in (step.calls if isinstance(step, Calls) else (step,)))
    return replace(first, beside=tuple(others))


def _call(step: Call) -> Output:
    return Output("call", json.dumps(dict(step.arguments), ensure_ascii=False), step.name)


def count_characters(*definitions: object) -> int:
    """Count the characters of definitions as JSON; those that are not there have none."""
    return sum(len(json.dumps(one)) for one in definitions if one)


def text_of(content: object) -> str:
    """Return a message's content as text, whether it is a text or a list of parts."""
    if isinstance(content, list):
        return "\n".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return str(content or "")


def _judge_abuse(text: str) -> dict[str, Any]:
    found = assess_abuse(text)
    return {"is_abusive": found.is_abusive, "confidence": found.confidence, "reason": found.reason}


def _judge_relevance(text: str) -> dict[str, Any]:
    found = assess_relevance(text, load_vocabulary())
    return {"is_relevant": found.is_relevant, "confidence": found.confidence, "reason": found.reason}


_JUDGES: tuple[Callable[[str], dict[str, Any]], ...] = (_judge_abuse, _judge_relevance)


def _fill_in(schema: Mapping[str, Any], text: str) -> dict[str, Any]:
    """Fill a schema with the verdict of the local guardrail that has all of its properties."""
    wanted = schema.get("properties", {}).keys()
    for judge in _JUDGES:
        verdict = judge(text)
        if wanted and wanted <= verdict.keys():
            return {name: verdict[name] for name in wanted}
    raise BadRequest(f"the simulator cannot fill in the properties {', '.join(sorted(wanted)) or 'of no name'}")
