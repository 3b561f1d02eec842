"""Turn functions into agent tools: wrong arguments are explained to the model, and other errors propagate."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from agents import FunctionTool, ModelBehaviorError, function_tool

from worker.tools.schemas import shorten_schema

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from agents import RunContextWrapper


def airline_tool(function: Callable[..., Coroutine[Any, Any, str]]) -> FunctionTool:
    """Turn a function into a tool: name, arguments and description are the function's, as the SDK reads them."""

    def explain(context: RunContextWrapper[Any], error: Exception) -> str:  # noqa: ARG001 - the SDK's signature
        if not isinstance(error, ModelBehaviorError):
            raise error  # the airline's system failed, not the model
        # The SDK does not tell what was wrong, since it might log it; what would be right helps a model as well.
        message = f"The arguments do not fit {made.name}. Call it again with {_describe(made.params_json_schema)}."
        return json.dumps({"ok": False, "refusal": "bad_arguments", "message": message})

    made = function_tool(function, failure_error_function=explain)
    made.params_json_schema = shorten_schema(made.params_json_schema)
    return made


def _describe(schema: dict[str, Any]) -> str:
    described = [f"{name} ({_kind_of(argument)})" for name, argument in schema.get("properties", {}).items()]
    return ", ".join(described) or "no arguments"


def _kind_of(argument: dict[str, Any]) -> str:
    if "enum" in argument:
        return " or ".join("null" if value is None else str(value) for value in argument["enum"])
    kind = argument.get("type", "anything")
    if isinstance(kind, list):
        return " or ".join(kind)
    if kind == "object":
        return f"an object of {_describe(argument)}"
    if kind == "array":
        return f"a list, each {_kind_of(argument['items'])}"
    return str(kind)
