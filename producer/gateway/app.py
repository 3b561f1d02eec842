"""Build the HTTP application; whatever stands above this package hands its own routers in."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Final

from fastapi import APIRouter, FastAPI

from producer.gateway import conversations, docs_page, health, mail_webhooks, messages, outbound, sms
from producer.gateway.contract import complete
from producer.gateway.door import Door
from producer.gateway.parts import open_parts
from producer.gateway.problems import answer_errors
from runtime.failpoints import Failpoint, no_failpoint

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from schema.settings.gateway import GatewaySettings

VERSION: Final = "1.0.0"
"""Of the contract, not of the release."""

_DESCRIPTION: Final = """Hand customers' messages in, and collect the replies, with one API key.

Every request needs `Authorization: Bearer fte_…`, and every refusal is a problem as RFC 9457 describes it."""


def create_app(
    settings: GatewaySettings,
    *,
    routers: Sequence[APIRouter] = (),
    failpoint: Failpoint = no_failpoint,
) -> FastAPI:
    """Return the application; `routers` are added below it, and pass the same door."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as opening:
            parts = await opening.enter_async_context(open_parts(settings, failpoint=failpoint))
            app.state.parts = parts
            app.state.conversations = messages.KnownConversations(parts.database)
            opening.push_async_callback(app.state.conversations.close)
            for router in routers:  # whose routes are added one by one, so that nobody else opens what they need
                await opening.enter_async_context(router.lifespan_context(app))
            yield

    app = FastAPI(
        title="fte",
        version=VERSION,
        description=_DESCRIPTION,
        lifespan=lifespan,
        openapi_url="/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry={"tracing": False},
    )
    ours = (messages.router, outbound.router, conversations.router, health.router, docs_page.router)
    channels = (sms.router, mail_webhooks.router)
    for router in (*ours, *channels, *routers):
        app.router.routes.extend(router.routes)  # and not include_router, which looks a route up twice per request
    answer_errors(app)
    app.add_middleware(Door)
    complete(app)
    return app
