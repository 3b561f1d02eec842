"""Define what is wrong with an answer that came with status 200."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import openai
from agents.exceptions import ModelBehaviorError

if TYPE_CHECKING:
    import httpx2


class InvalidAnswer(openai.APIError):
    """The provider's answer is no answer of its API: a page, a stream, an error in place of output.

    The provider's fault, as a status 502 would be. `why` holds nothing of the answer's text.
    """

    def __init__(self, why: str, request: httpx2.Request) -> None:
        super().__init__(f"status 200 with {why}", request, body=None)


class UnusableAnswer(ModelBehaviorError, openai.OpenAIError):
    """The model answered with nothing that a turn can use: no text and no call, or a text cut off or far too long.

    The model's slip, not its provider's: asked again, it may do better. `why` holds nothing of the answer's text.
    """


class Malformed(Exception):
    """A body has not the form of its API; `why` says where."""


class ErrorInside(Exception):
    """A body tells of an error in place of an answer; `status` is the one that it should have come with."""

    def __init__(self, status: int, error: dict[str, Any]) -> None:
        super().__init__(f"an error {status} inside")
        self.status = status
        self.error = error


_UNNAMED_STATUS = 502
_CODES = {
    "rate_limit_exceeded": 429,
    "insufficient_quota": 429,
    "content_filter": 400,
    "content_policy_violation": 400,
    "context_length_exceeded": 400,
    "invalid_prompt": 400,
    "string_above_max_length": 400,
    "invalid_api_key": 401,
    "model_not_found": 404,
}


def raise_error_inside(error: Any) -> None:
    """Raise ErrorInside when `error` is one: an object or a text; its code may be a status or a word."""
    if not error:
        return
    inside = error if isinstance(error, dict) else {"message": str(error)}
    code = inside.get("code")
    status = _status_of(code) or _status_of(inside.get("status")) or _CODES.get(str(code), _UNNAMED_STATUS)
    raise ErrorInside(status, {"code": code if isinstance(code, str) else None, "message": "error with status 200"})


def _status_of(code: Any) -> int | None:
    text = str(code)
    return int(text) if text.isascii() and text.isdigit() and 400 <= int(text) <= 599 else None  # noqa: PLR2004 - errors
