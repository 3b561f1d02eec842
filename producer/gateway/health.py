"""Routes for whoever runs the process: is it alive, may it be sent requests."""

from __future__ import annotations

import asyncio
from typing import Final, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel

from producer.gateway.access import parts_of
from producer.gateway.problems import RETRY_SECONDS, Problem, Refused

ANSWER_SECONDS_MAX: Final = 2.0

router = APIRouter(prefix="/v1/health", tags=["health"])


class Health(BaseModel):
    """How the process is."""

    status: Literal["live", "ready"]


@router.get("/live", summary="Is the process alive")
async def is_live() -> Health:
    """Answer as long as the process can answer at all."""
    return Health(status="live")


@router.get("/ready", summary="May it be sent requests", responses={503: {"model": Problem}})
async def is_ready(request: Request) -> Health:
    """Answer when PostgreSQL does and the process is not stopping; without Redis messages are accepted all the same."""
    parts = parts_of(request)
    if parts.stopping.is_set():
        raise Refused("stopping", "this process is stopping; ask another one", headers={"Retry-After": "1"})
    try:
        async with asyncio.timeout(ANSWER_SECONDS_MAX):
            await parts.database.read("", "find_migration_table")
    except TimeoutError:
        raise Refused(
            "unavailable",
            f"PostgreSQL did not answer within {ANSWER_SECONDS_MAX:g} s",
            headers={"Retry-After": str(RETRY_SECONDS)},
        ) from None
    return Health(status="ready")
