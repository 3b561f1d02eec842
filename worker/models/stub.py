"""Stub model that plays one FAQ turn of three calls, for benchmarks of everything but the model."""

from __future__ import annotations

import json
from typing import Any

from worker.models.embedded import EmbeddedModel
from worker.models.output import Call, Say, Step

_TO_FAQ = "transfer_to_faq_agent"
_LOOKUP = "faq_lookup"


class StubModel(EmbeddedModel):
    """Hands to the FAQ agent, looks the question up and cites the first result, whatever is asked."""

    name = "stub"

    def decide(self, instructions: str, items: list[dict[str, Any]], callable_names: frozenset[str]) -> Step:  # noqa: ARG002 - the instructions do not matter to it
        """Choose the step that the last item calls for."""
        last = items[-1] if items else {}
        if _TO_FAQ in callable_names:
            return Call(_TO_FAQ)
        if last.get("type") == "function_call_output" and not _is_handoff(items):
            return Say(_answer_from(str(last.get("output", ""))))
        return Call(_LOOKUP, {"question": _question_in(items)})


def _is_handoff(items: list[dict[str, Any]]) -> bool:
    calls = [item for item in items if item.get("type") == "function_call"]
    return bool(calls) and str(calls[-1].get("name", "")).startswith("transfer_to_")


def _question_in(items: list[dict[str, Any]]) -> str:
    asked = [item["content"] for item in items if item.get("role") == "user" and isinstance(item.get("content"), str)]
    return asked[-1] if asked else ""


def _answer_from(output: str) -> str:
    found = json.loads(output).get("results")
    if not found:
        return "There is no article on that."
    return f"{found[0]['text']}\n\nSource: {found[0]['article']} \u203a {found[0]['section']}"
