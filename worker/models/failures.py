"""Classify the errors of model calls, and read how long a provider asks to be left alone."""

from __future__ import annotations

import math
import re
from email.utils import parsedate_to_datetime
from typing import Literal

import httpx2
import openai
from agents.exceptions import (
    AgentsException,
    InputGuardrailTripwireTriggered,
    ModelBehaviorError,
    ModelRefusalError,
    ModelTimeoutError,
    OutputGuardrailTripwireTriggered,
)

from worker.models.wire.faults import InvalidAnswer, UnusableAnswer

ModelErrorClass = Literal["busy", "transient", "refused", "bug"]

ASKED_JITTER_SHARE = 0.25
"""Most jitter on a wait that a provider asks for, as a share of it: else all its callers would come back together."""


class ModelBusy(AgentsException):
    """Our own limits leave no room for this call now: its message waits, without using up an attempt."""

    def __init__(self, limit: str, retry_after_seconds: float) -> None:
        super().__init__(f"no room under {limit} for {retry_after_seconds:.1f} s")
        self.retry_after_seconds = retry_after_seconds


class ModelUnavailable(AgentsException):
    """The provider is not asked now, and the embedded model cannot stand in for it."""


# The request is at fault, and so would be the same request again.
_REFUSED_CODES = frozenset(
    {
        "content_filter",
        "content_policy_violation",
        "context_length_exceeded",
        "invalid_prompt",
        "string_above_max_length",
    }
)
_REFUSED = (
    ModelRefusalError,
    InputGuardrailTripwireTriggered,
    OutputGuardrailTripwireTriggered,
    openai.LengthFinishReasonError,
    openai.ContentFilterFinishReasonError,
)
_TRANSIENT = (openai.APIError, httpx2.TransportError, TimeoutError, ModelTimeoutError, ModelUnavailable)
_PASSING_STATUSES = frozenset({401, 403, 404, 408, 409, 425, 429})
_MENDED_BY_PEOPLE = frozenset({401, 403, 404})
_CODE = re.compile(r"[A-Za-z0-9_.\[\]-]{1,64}")
_TOO_LARGE = 413
_THROTTLED = 429
_SERVER_ERRORS = 500


def classify_model_error(exc: BaseException) -> ModelErrorClass:
    """Return the class of what a model call raised.

    busy: our own limits; wait. transient: try again later. Besides 408, 409, 425, 429, 5xx, time-outs and lost
    connections that is 401, 403 and 404: a key was revoked or a model taken away, an operator will mend it, and the
    messages that meet it meanwhile are not to blame. A model that called a tool that does not exist, or wrote broken
    JSON, may do better next time. refused: the same request would fail again (too long, against the provider's
    policy), or a guardrail tripped. bug: everything else, other 4xx among them.
    """
    if isinstance(exc, ModelBusy):
        return "busy"
    if isinstance(exc, openai.APIStatusError):
        return _class_of_status(exc)
    if isinstance(exc, ModelBehaviorError):
        # A response that ended early is reported by its text alone; this one the provider's filter cut off.
        return "refused" if "content_filter" in str(exc) else "transient"
    if isinstance(exc, openai.APIError) and exc.code in _REFUSED_CODES:
        return "refused"
    if isinstance(exc, _REFUSED):
        return "refused"
    return "transient" if isinstance(exc, _TRANSIENT) else "bug"


def _class_of_status(error: openai.APIStatusError) -> ModelErrorClass:
    if error.code in _REFUSED_CODES or error.status_code == _TOO_LARGE:
        return "refused"
    if error.status_code in _PASSING_STATUSES or error.status_code >= _SERVER_ERRORS:
        return "transient"
    return "bug"


def is_providers_fault(error: BaseException) -> bool:
    """Check whether an error speaks against the provider: a refusal, a bad request or a model's slip does not."""
    return classify_model_error(error) == "transient" and not isinstance(error, ModelBehaviorError)


def is_bad_request(error: BaseException) -> bool:
    """Check whether the provider will not take this request: waiting changes nothing, for it is ours that is wrong."""
    return isinstance(error, openai.APIStatusError) and classify_model_error(error) == "bug"


ModelResult = Literal["throttled", "timeout", "unavailable", "denied", "unusable", "refused", "busy", "error"]
"""How a request to a model failed; `busy`: our own limits, `denied`: a key or a model that is not to be had."""


def result_of(error: BaseException) -> ModelResult:
    """Return how a request ended that brought no answer, for its count."""
    if isinstance(error, openai.APIStatusError) and error.status_code == _THROTTLED:
        return "throttled"
    if isinstance(error, openai.APIStatusError) and error.status_code in _MENDED_BY_PEOPLE:
        return "denied"
    if isinstance(error, TimeoutError | openai.APITimeoutError | ModelTimeoutError):
        return "timeout"
    kind = classify_model_error(error)
    if kind in {"busy", "refused"}:
        return "busy" if kind == "busy" else "refused"
    if isinstance(error, ModelBehaviorError):
        return "unusable"
    return "unavailable" if kind == "transient" else "error"


def describe_error(error: BaseException) -> str:
    """Describe what failed for operators: kind, status and code, without any words of customers or models.

    For the errors whose texts are written here, it is their text.
    """
    if isinstance(error, openai.APIStatusError):
        named = [
            f" {error.code}" if _is_word(error.code) else "",
            f" at {error.param}" if _is_word(error.param) else "",
        ]
        return f"{type(error).__name__}: status {error.status_code}{''.join(named)}"
    if isinstance(error, InvalidAnswer | UnusableAnswer | ModelBusy | ModelUnavailable):
        return f"{type(error).__name__}: {error}"
    cause = error.__cause__
    return type(error).__name__ if cause is None else f"{type(error).__name__} after {type(cause).__name__}"


def _is_word(value: str | None) -> bool:
    return value is not None and _CODE.fullmatch(str(value)) is not None


def may_pass_in_seconds(error: BaseException) -> bool:
    """Check whether the same request may succeed in a moment.

    A time-out has used up the call's time; a revoked key waits for a person; the rest may be over in a second, and a
    model that slipped may do better at once. A provider that says `x-should-retry` knows best.
    """
    if isinstance(error, UnusableAnswer):
        return True
    if not is_providers_fault(error) or isinstance(error, TimeoutError | openai.APITimeoutError | ModelUnavailable):
        return False
    if not isinstance(error, openai.APIStatusError):
        return True
    advice = error.response.headers.get("x-should-retry")
    if advice in {"true", "false"}:
        return bool(advice == "true")
    return error.status_code not in _MENDED_BY_PEOPLE


def retry_after_seconds(error: BaseException, now: float) -> float | None:
    """Return how long an error asks to wait (`now`: seconds since the epoch); None when it does not say.

    Reads `retry-after-ms`, and `retry-after` in seconds or as a date (RFC 9110, 10.2.3).
    """
    if isinstance(error, ModelBusy):
        return error.retry_after_seconds
    if not isinstance(error, openai.APIStatusError):
        return None
    headers = error.response.headers
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return max(0.0, milliseconds / 1_000)
    text = headers.get("retry-after")
    seconds = _number(text)
    if seconds is None:
        seconds = _seconds_until(text, now)
    return None if seconds is None else max(0.0, seconds)


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _seconds_until(text: str | None, now: float) -> float | None:
    try:
        return parsedate_to_datetime(text or "").timestamp() - now
    except (ValueError, OverflowError):
        return None
