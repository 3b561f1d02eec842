"""Write the JSON schema of a tool's arguments as short as a strict one may be: a model reads it with every call."""

from __future__ import annotations

from typing import Any, cast

Schema = dict[str, Any]


def shorten_schema(schema: Schema) -> Schema:
    """Return a schema of the same values in fewer words.

    Titles, defaults and descriptions of whole objects go (they are names and docstrings of the code), references are
    put in place, and what may be null says so in its type. Descriptions of arguments stay. Raises KeyError for a
    reference to what the schema does not define.
    """
    return _without_description(_shorten(schema, schema.get("$defs", {})))


def _shorten(schema: Schema, definitions: Schema) -> Schema:
    if "$ref" in schema:
        named = _without_description(definitions[schema["$ref"].rpartition("/")[2]])
        beside = {key: value for key, value in schema.items() if key != "$ref"}
        return _shorten({**named, **beside}, definitions)
    short: Schema = {}
    for key, value in schema.items():
        if key in {"title", "default", "$defs"}:
            continue
        if key == "properties":
            short[key] = {name: _shorten(argument, definitions) for name, argument in value.items()}
        elif key == "items":
            short[key] = _shorten(value, definitions)
        elif key == "anyOf":
            short.update(_shorten_choice([_shorten(part, definitions) for part in value]))
        else:
            short[key] = value
    return short


def _shorten_choice(choices: list[Schema]) -> Schema:
    """Return `T or null` as one type; any other choice as it is."""
    kinds = [choice for choice in choices if choice != {"type": "null"}]
    if len(kinds) != 1 or len(choices) != len(kinds) + 1 or not isinstance(kinds[0].get("type"), str):
        return {"anyOf": choices}
    nullable = {**kinds[0], "type": [kinds[0]["type"], "null"]}
    return {**nullable, "enum": [*nullable["enum"], None]} if "enum" in nullable else nullable


def _without_description(schema: Schema) -> Schema:
    return cast("Schema", {key: value for key, value in schema.items() if key != "description"})
