"""Complete the API's description in OpenAPI with what holds for every route."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from producer.gateway.problems import MEDIA_TYPE, Problem

if TYPE_CHECKING:
    from fastapi import FastAPI

_KEY: Final = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "fte_<id>_<secret><checksum>",
    "description": "an API key; `fte keys create` makes one",
}
_REFUSALS: Final = ("400", "401", "403", "404", "405", "408", "409", "413", "415", "422", "429", "500", "503")


def complete(app: FastAPI) -> None:
    """Let the app's description say what holds for every route: its key, and how it refuses."""
    describe = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _completed(describe())
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign] # how FastAPI has it done


def _completed(document: dict[str, Any]) -> dict[str, Any]:
    components = document.setdefault("components", {})
    components["securitySchemes"] = {"key": _KEY}
    schemas = components.setdefault("schemas", {})
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= problem.pop("$defs", {})
    schemas["Problem"] = problem
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    for path, operations in document["paths"].items():
        is_open = path.startswith("/v1/health/")
        for operation in operations.values():
            for parameter in operation.get("parameters", ()):
                parameter["schema"] = _without_null(parameter["schema"])
            operation["security"] = [] if is_open else [{"key": []}]
            operation["responses"] = {
                status: answer for status, answer in operation["responses"].items() if status != "422"
            } | {status: _refusal(status) for status in _REFUSALS}
    return document


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a parameter's schema as it is on the wire, where one that has no value is left out and never null."""
    kinds = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
    if len(kinds) != 1:
        return schema
    return {**{name: value for name, value in schema.items() if name != "anyOf"}, **kinds[0]}


def _refusal(status: str) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "description": "Refused",
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    if status in {"429", "503"}:
        answer["headers"] = {
            "Retry-After": {"description": "seconds", "schema": {"type": "string", "pattern": "^[0-9]+$"}}
        }
    return answer
