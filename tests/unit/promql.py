"""Read what an expression asks of Prometheus: its series with the labels that it selects or groups by."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import promql_parser

RANGE = "$__rate_interval"


def parse(expression: str) -> Any:
    """Parse an expression of a dashboard or a rule; raises ValueError."""
    return promql_parser.parse(expression.replace(RANGE, "1m"))


def series_of(expression: str) -> dict[str, set[str]]:
    """Map each series that an expression asks for to the labels that it selects or groups by."""
    found: dict[str, set[str]] = {}
    for name, labels in _walk(parse(expression), set()):
        found.setdefault(name, set()).update(labels)
    return found


def _walk(node: Any, grouping: set[str]) -> Iterator[tuple[str, set[str]]]:
    match type(node).__name__:
        case "VectorSelector":
            yield node.name, grouping | {matcher.name for matcher in node.matchers.matchers}
        case "MatrixSelector":
            yield from _walk(node.vector_selector, grouping)
        case "AggregateExpr":
            yield from _walk(node.expr, grouping | set(node.modifier.labels if node.modifier else ()))
        case "BinaryExpr":
            yield from _walk(node.lhs, grouping)
            yield from _walk(node.rhs, grouping)
        case "Call":
            for argument in node.args:
                yield from _walk(argument, grouping)
        case "ParenExpr" | "UnaryExpr" | "SubqueryExpr":
            yield from _walk(node.expr, grouping)
        case "NumberLiteral" | "StringLiteral":
            return
        case other:
            raise AssertionError(f"an expression of an unknown kind: {other}")
