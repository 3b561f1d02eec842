"""Decide who may do what: every path but a few needs a key, and every route names the scope that it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

from fastapi import Depends, Request

from producer.gateway.parts import Parts
from producer.gateway.problems import CHALLENGE, Refused
from runtime.api_keys import Principal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

OPEN_PATHS: Final = frozenset({"/v1/health/live", "/v1/health/ready", "/v1/openapi.json", "/v1/docs"})
"""Paths that need no key; so do the files below /v1/docs/."""

CHANNELS_PREFIX: Final = "/v1/channels/"
"""Below it providers call, whose routes verify the signature of each request themselves."""

_KEY_CHARACTERS_MAX: Final = 512


def needs_key(path: str) -> bool:
    """Check whether a path needs a key: all do that are not listed as open, or verify a provider's signature."""
    return path not in OPEN_PATHS and not path.startswith(("/v1/docs/", CHANNELS_PREFIX))


def read_bearer(headers: list[tuple[bytes, bytes]]) -> str:
    """Return the key of `Authorization: Bearer …`; raises Refused when there is none, or several headers."""
    given = [value for name, value in headers if name == b"authorization"]
    kind, _, presented = given[0].decode("latin-1").partition(" ") if len(given) == 1 else ("", "", "")
    presented = presented.strip()
    if kind.lower() != "bearer" or not presented or len(presented) > _KEY_CHARACTERS_MAX:
        raise Refused("not-authenticated", "send one header Authorization: Bearer fte_…", headers=CHALLENGE)
    return presented


def parts_of(request: Request) -> Parts:
    """Return the parts of the process that serves a request."""
    parts: Parts = request.app.state.parts
    return parts


async def identified(request: Request) -> Principal:
    """Return whom the request's key speaks for, whatever it may do: a dependency for routers handed in from above."""
    principal: Principal | None = getattr(request.state, "principal", None)
    if principal is None:
        raise Refused("not-authenticated", "send one header Authorization: Bearer fte_…", headers=CHALLENGE)
    return principal


async def check_tenant(parts: Parts, principal: Principal) -> None:
    """Check that a key's tenant is served; raises UnknownTenant, TenantSuspended."""
    await parts.tenants.settings(principal.tenant)


def require(scope: str) -> Callable[[Request], Awaitable[Principal]]:
    """Return a dependency that gives the principal, if its key has a scope and its tenant is served."""

    async def check(request: Request) -> Principal:
        principal = await identified(request)
        if scope not in principal.scopes:
            raise Refused(
                "forbidden",
                f"this needs a key with the scope {scope}; this one has {', '.join(sorted(principal.scopes))}",
            )
        await check_tenant(parts_of(request), principal)
        return principal

    return check


# Coroutines, not plain functions: FastAPI would run those in threads, which costs more than all the rest of a request.
check_writer = require("messages:write")
Writer = Annotated[Principal, Depends(check_writer)]
Collector = Annotated[Principal, Depends(require("outbound:read"))]
Reader = Annotated[Principal, Depends(require("conversations:read"))]
