"""Turn every refusal into an RFC 9457 problem: a stable type, the field, its limit, and the way out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import structlog
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.routing import Match

from runtime.api_keys import AddressSlowed, KeyRefused
from runtime.encoding import dump_json
from runtime.outage import POSTGRESQL_AWAY, is_redis_away
from schema.errors import (
    FteError,
    InvalidMessage,
    MailboxFull,
    Overloaded,
    ServerUnreachable,
    TenantSuspended,
    UnknownTenant,
)
from schema.messages.inbound import LIMITS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from fastapi import FastAPI
    from starlette.requests import Request

MEDIA_TYPE: Final = "application/problem+json"
TYPE_PREFIX: Final = "urn:fte:problem:"

ERRORS_MAX: Final = 20
"""Wrong fields named in one answer."""
_NAME_CHARACTERS_MAX: Final = 80

CHALLENGE: Final = {"WWW-Authenticate": 'Bearer realm="fte"'}
"""Header of an answer to a request without a valid key."""

RETRY_SECONDS: Final = 5
"""When to try again while a server is away; a guess."""

TITLES: Final[dict[str, tuple[int, str]]] = {
    "invalid-request": (422, "The request breaks a limit"),
    "not-authenticated": (401, "The API key is missing or not valid"),
    "address-slowed": (429, "Too many wrong keys came from this address"),
    "forbidden": (403, "The API key does not allow this"),
    "tenant-unknown": (403, "The key's tenant does not exist"),
    "tenant-suspended": (403, "The key's tenant is suspended"),
    "not-found": (404, "There is no such thing here"),
    "method-not-allowed": (405, "This path does not know that method"),
    "body-timeout": (408, "The body came too slowly"),
    "conflict": (409, "The state does not allow this"),
    "body-too-large": (413, "The body is too large"),
    "unsupported-media-type": (415, "The body is not JSON"),
    "mailbox-full": (429, "The conversation has too many unanswered messages"),
    "overloaded": (429, "Too many messages are unanswered"),
    "rate-limited": (429, "Too many requests"),
    "too-many-streams": (429, "Too many streams are open"),
    "internal": (500, "A fault of this server"),
    "unavailable": (503, "A server that this needs is away"),
    "stopping": (503, "This process is stopping"),
}
"""Status and title of each kind of problem; the names are part of the contract."""

_OF_STATUS: Final = {
    400: "invalid-request",
    401: "not-authenticated",
    403: "forbidden",
    404: "not-found",
    405: "method-not-allowed",
    408: "body-timeout",
    413: "body-too-large",
    415: "unsupported-media-type",
    503: "unavailable",
}

_METHODS: Final = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")

_log = structlog.get_logger("fte.gateway")


class FieldError(BaseModel):
    """One wrong field or parameter."""

    model_config = ConfigDict(extra="forbid")

    detail: str = Field(description="what it must be")
    pointer: str | None = Field(default=None, description="JSON Pointer into the body, such as #/text")
    parameter: str | None = Field(default=None, description="name of a query, path or header parameter")


class Problem(BaseModel):
    """A refusal as RFC 9457 describes it; `type` is stable, the texts are for people."""

    type: str = Field(description=f"{TYPE_PREFIX}… and a name of docs/gateway.md")
    title: str
    status: int = Field(ge=400, le=599)
    detail: str = Field(description="what is wrong, with its numbers and the way out")
    request_id: str = Field(description="of the request, as in the header X-Request-ID")
    errors: list[FieldError] | None = None
    news: list[dict[str, Any]] | None = Field(
        default=None, description="what happened meanwhile, where that is the reason: acts of the desk, or messages"
    )


class Refused(FteError):
    """Raised by the gateway to refuse a request; `name` is one of TITLES."""

    def __init__(
        self,
        name: str,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        errors: Sequence[FieldError] = (),
        status: int | None = None,
        news: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        """Take the name and the text; `status` stands in place of the name's own."""
        super().__init__(detail)
        self.name = name
        self.status = TITLES[name][0] if status is None else status
        self.detail = detail
        self.headers = dict(headers or {})
        self.errors = list(errors)
        self.news = list(news)

    def problem(self, request_id: str) -> dict[str, Any]:
        """Return the refusal as the members of a problem document."""
        body: dict[str, Any] = {
            "type": TYPE_PREFIX + self.name,
            "title": TITLES[self.name][1],
            "status": self.status,
            "detail": self.detail,
            "request_id": request_id,
        }
        if self.errors:
            body["errors"] = [error.model_dump(exclude_none=True) for error in self.errors]
        if self.news:
            body["news"] = self.news
        return body

    def response(self, request_id: str) -> Response:
        """Return the answer to the request."""
        encoded = dump_json(self.problem(request_id)).encode("utf-8", "replace")
        return Response(encoded, self.status, headers=self.headers, media_type=MEDIA_TYPE)


def refusal_of(error: BaseException) -> Refused | None:
    """Return the refusal that an error stands for; None for a fault of this program."""
    if isinstance(error, Refused):
        return error
    for kind, refuse in _REFUSALS.items():
        if isinstance(error, kind):
            return refuse(error)
    if isinstance(error, (ServerUnreachable, OSError, *POSTGRESQL_AWAY)) or is_redis_away(error):
        return Refused(
            "unavailable",
            f"a server that this needs does not answer; send the same request again in {RETRY_SECONDS} s",
            headers={"Retry-After": str(RETRY_SECONDS)},
        )
    return None


def _refuse_message(error: InvalidMessage) -> Refused:
    wrong = FieldError(pointer=pointer_to(error.field.split(".")), detail=f"{error.value}; {error.limit}")
    return Refused("invalid-request", str(error), errors=[wrong])


def pointer_to(path: Sequence[int | str]) -> str:
    """Return the JSON Pointer to a field, shortened; what UTF-8 cannot hold becomes a question mark."""
    parts = (str(part).replace("~", "~0").replace("/", "~1") for part in path)
    text = "".join(f"/{part[:_NAME_CHARACTERS_MAX]}" for part in parts)
    return "#" + text.encode("utf-8", "replace").decode()


def answer_errors(app: FastAPI) -> None:
    """Let the app answer every error as a problem."""
    for kind in (Refused, FteError, RequestValidationError, HTTPException, Exception):
        app.add_exception_handler(kind, answer_error)


async def answer_error(request: Request, error: Exception) -> Response:
    """Answer an error that a route raised; a fault of this program is logged with its trace and tells nothing."""
    refused = refusal_of(error)
    if refused is None:
        _log.error("http.fault", path=request.url.path, exc_info=error)
        refused = Refused("internal", "this is a fault of the server; its log tells more under the request id")
    if refused.name == "method-not-allowed":
        refused.headers["Allow"] = ", ".join(_methods_of(request))
    return refused.response(request.state.request_id)


def _methods_of(request: Request) -> list[str]:
    """List the methods of a request's path over all its routes; the router names those of the first one alone."""
    scope = {key: value for key, value in request.scope.items() if key not in {"fastapi", "path_params", "route"}}
    return [
        method
        for method in _METHODS
        if any(route.matches({**scope, "method": method})[0] is Match.FULL for route in request.app.routes)
    ]


def _refuse_status(error: HTTPException) -> Refused:
    name = _OF_STATUS.get(error.status_code, "invalid-request")
    details = {
        "not-found": "no such path; /v1/docs lists them",
        "method-not-allowed": "the header Allow names the methods of this path",
        "unsupported-media-type": "send the body as application/json in UTF-8",
    }
    return Refused(name, details.get(name, str(error.detail)), headers=error.headers)


def _refuse_fields(error: RequestValidationError) -> Refused:
    errors = [_field_error(detail) for detail in error.errors()[:ERRORS_MAX]]
    named = "; ".join(f"{wrong.pointer or wrong.parameter}: {wrong.detail}" for wrong in errors)
    return Refused("invalid-request", named, errors=errors)


def _field_error(detail: Any) -> FieldError:
    """Describe one wrong field by what it must be; never by its value, which may be a customer's words."""
    place, *path = detail["loc"]
    if place != "body":
        name = str(path[0]) if path else str(place)
        return FieldError(parameter=name[:_NAME_CHARACTERS_MAX], detail=str(detail["msg"]))
    if detail["type"] == "json_invalid":
        return FieldError(pointer="#", detail="not JSON in UTF-8")
    field = next((str(part) for part in path if isinstance(part, str)), "")
    text = "unknown field" if detail["type"] == "extra_forbidden" else LIMITS.get(field, str(detail["msg"]))
    return FieldError(pointer=pointer_to(path), detail="missing; " + text if detail["type"] == "missing" else text)


_REFUSALS: Final[dict[type[Exception], Callable[[Any], Refused]]] = {
    RequestValidationError: _refuse_fields,
    HTTPException: _refuse_status,
    InvalidMessage: _refuse_message,
    KeyRefused: lambda error: Refused("not-authenticated", str(error), headers=CHALLENGE),
    AddressSlowed: lambda error: Refused(
        "address-slowed", str(error), headers={"Retry-After": str(error.retry_after_s)}
    ),
    MailboxFull: lambda error: Refused(
        "mailbox-full", str(error), headers={"Retry-After": str(error.retry_after_seconds)}
    ),
    Overloaded: lambda error: Refused(
        "overloaded", str(error), headers={"Retry-After": str(error.retry_after_seconds)}
    ),
    UnknownTenant: lambda _: Refused(
        "tenant-unknown", "the tenant of this key does not exist any more; ask the operator"
    ),
    TenantSuspended: lambda _: Refused("tenant-suspended", "the tenant of this key is suspended; ask the operator"),
}
"""How each error that has a meaning of its own is refused."""
