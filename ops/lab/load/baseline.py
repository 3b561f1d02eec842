"""Read the reports of earlier load tests, to compare others with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, Field, ValidationError

from runtime.encoding import parse_json
from schema.errors import FteError

Facts = TypeVar("Facts", bound=BaseModel)


class InvalidReport(FteError):
    """A file that holds no report of a load test, or not all that is needed; the text names it and what is missing."""


class BaselinePercentiles(BaseModel):
    """Percentiles of an earlier run, in milliseconds."""

    p50: float
    p95: float
    p99: float
    max: float


class Baseline(BaseModel):
    """What `fte load --json` wrote, as far as runs are compared; reports of earlier releases lack the newer fields."""

    messages: int
    replies: int
    lost: int
    unanswered: int
    unread: int
    duplicated: int
    out_of_order: int
    accepted_per_s: float
    messages_per_s: float
    acceptance_ms: BaselinePercentiles
    latency_ms: BaselinePercentiles
    overhead_ms: BaselinePercentiles
    is_valid: bool = True
    curve: list[tuple[float, float]] = Field(default_factory=list)
    setup: dict[str, Any] = Field(default_factory=dict)


def read_baseline(file: str) -> Baseline:
    """Read what `fte load --json FILE` wrote; raises InvalidReport."""
    return read_report(file, Baseline, "fte load --json")


def read_report(file: str, model: type[Facts], kind: str) -> Facts:
    """Read a report of a load test as far as a model wants it, of a `kind` that errors name; raises InvalidReport."""
    try:
        return model.model_validate(parse_json(Path(file).read_bytes()))
    except OSError as error:
        raise InvalidReport(f"{file}: {error.strerror}") from None
    except ValidationError as error:
        wrong = ", ".join(".".join(map(str, found["loc"])) or "the whole" for found in error.errors())
        raise InvalidReport(f"{file}: no report of {kind}; missing or wrong: {wrong}") from None
    except ValueError:
        raise InvalidReport(f"{file}: no JSON") from None
