"""Run stand-ins for providers of channels beside `fte up --sandbox`, and connect accounts of the tenant `default`."""

from __future__ import annotations

import secrets
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Final

from anyio.from_thread import start_blocking_portal

from ops.lab.mail_sandbox import run_mail_sandbox
from ops.lab.sandbox_parts import TENANT, SandboxHint, SandboxPlace, connect_account, free_port
from ops.lab.sms_provider import SmsProvider, serve_provider

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from schema.settings import Settings

SMS_PORT: Final = 8071
"""Where the stand-in for an SMS provider listens, unless that is taken."""
SMS_ACCOUNT: Final = "AC" + "5a" * 16
SMS_NUMBER: Final = "+14155550199"


@contextmanager
def run_sandbox(settings: Settings, gateway_url: str, say: Callable[[str], None]) -> Iterator[list[SandboxHint]]:
    """Run every channel's stand-in for the length of the block; yields how each is tried."""
    with ExitStack() as opened:
        portal = opened.enter_context(start_blocking_portal())
        place = SandboxPlace(settings, gateway_url, say, portal)
        yield [opened.enter_context(run(place)) for run in SANDBOXES]


@contextmanager
def _run_sms(place: SandboxPlace) -> Iterator[SandboxHint]:
    """Run a stand-in for an SMS provider whose account is connected to the gateway."""
    token = secrets.token_hex(16)
    provider = SmsProvider(SMS_ACCOUNT, token, own_number=SMS_NUMBER, say=lambda line: place.say(f"sms  {line}"))
    with place.portal.wrap_async_context_manager(serve_provider(provider, port=free_port(SMS_PORT))) as port:
        url = f"http://127.0.0.1:{port}"
        settings = {
            "account_sid": SMS_ACCOUNT,
            "numbers": [SMS_NUMBER],
            "public_url": place.gateway_url,
            "api_url": url,
        }
        account_id = connect_account(place, "sms", "account_sid", settings, {"auth_token": token})
        provider.webhook_url = f"{place.gateway_url}/v1/channels/sms/{TENANT}/{account_id}"
        yield SandboxHint(
            f"SMS to {SMS_NUMBER}, account {account_id}",
            f"""curl {url}/sandbox/inbound -d '{{"from": "+14155550101", "text": "How much is a second bag?"}}'""",
        )


SANDBOXES: tuple[Callable[[SandboxPlace], AbstractContextManager[SandboxHint]], ...] = (
    _run_sms,
    run_mail_sandbox,
)
"""What `fte up --sandbox` runs, one for each channel."""
