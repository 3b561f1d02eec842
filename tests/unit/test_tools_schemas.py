"""Schemas of arguments are shortened to others of the same values: a validator that knows nothing of it agrees."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from jsonschema import Draft202012Validator
from pydantic import BaseModel, Field

from worker.domains.airline.agents.graph import build_graph
from worker.tools.schemas import shorten_schema


class Flight(BaseModel):
    """A flight, said in many words that only a reader of code needs."""

    number: str
    title: str | None


class Arguments(BaseModel):
    """Arguments of every kind that tools have."""

    flights: list[Flight]
    first: Annotated[Flight, Field(description="The first one.")]
    count: int | None
    seat: Literal["window", "aisle"] | None
    either: int | str | None


FLIGHT = {"number": "LF1", "title": None}
GOOD: dict[str, Any] = {"flights": [FLIGHT], "first": FLIGHT, "count": 3, "seat": "aisle", "either": "x"}
VALUES = [
    GOOD,
    *({**GOOD, name: None} for name in GOOD),
    *({**GOOD, name: value} for name in GOOD for value in (7, "middle", [], {}, [FLIGHT], FLIGHT, [7])),
    *({key: value for key, value in GOOD.items() if key != name} for name in GOOD),
]


def test_a_shortened_schema_takes_what_the_long_one_takes() -> None:
    schema = Arguments.model_json_schema()
    long, short = Draft202012Validator(schema), Draft202012Validator(shorten_schema(schema))

    taken = [long.is_valid(value) for value in VALUES]
    assert {True, False} == set(taken)
    assert [short.is_valid(value) for value in VALUES] == taken


def test_only_what_a_model_needs_is_left() -> None:
    short = shorten_schema(Arguments.model_json_schema())

    assert "$defs" not in short
    assert "description" not in short
    assert short["properties"]["count"] == {"type": ["integer", "null"]}
    assert short["properties"]["seat"] == {"enum": ["window", "aisle", None], "type": ["string", "null"]}
    assert short["properties"]["first"]["description"] == "The first one."
    assert short["properties"]["flights"]["items"]["properties"].keys() == {"number", "title"}


def test_tools_and_handoffs_are_small() -> None:
    """An agent's definitions go out with each of its calls: a longer description is paid for with every message."""
    for agent in build_graph().by_name.values():
        schemas = [getattr(each, "params_json_schema", None) or each.input_json_schema for each in _callables(agent)]
        told = [getattr(each, "description", None) or each.tool_description for each in _callables(agent)]

        assert max(map(len, told)) < 200
        assert all(len(json.dumps(schema)) < 1_000 for schema in schemas)


def _callables(agent: Any) -> list[Any]:
    return [*agent.tools, *agent.handoffs]
