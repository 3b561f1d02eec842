"""The commands `fte deliver …`: processes that hand to receivers outside what the product has to tell them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager
    from datetime import datetime

    from producer.delivery.reply_deliverer import OpenChannel
    from schema.settings import Settings
    from schema.tenants import EscalationHours

deliver = typer.Typer(no_args_is_help=True, help="Hand out what receivers outside are to be told.")


@deliver.command("webhooks")
def deliver_webhooks() -> None:
    """Run one process that delivers webhooks in the foreground, until Ctrl-C or SIGTERM; any number share the work.

    Attempts under way are ended first. Logs go to standard error.
    """
    import asyncio

    from ops.cli.servers import find_servers
    from producer.delivery.deliverer import open_deliverer
    from runtime.telemetry.logs import configure_logs

    settings = find_servers()
    configure_logs(settings)
    asyncio.run(_run(open_deliverer(settings)))


@deliver.command("sms")
def deliver_sms() -> None:
    """Run one process that sends replies as text messages, until Ctrl-C or SIGTERM; any number share the work.

    Attempts under way are ended first. Logs go to standard error.
    """
    from producer.delivery.sms_replies import open_sms

    _deliver_replies(lambda _: open_sms)


@deliver.command("email")
def deliver_email() -> None:
    """Run one process that sends replies by e-mail, until Ctrl-C or SIGTERM; any number share the work.

    Attempts under way are ended first. Logs go to standard error.
    """
    from producer.delivery.email_replies import open_email

    _deliver_replies(lambda settings: open_email(settings, settings.brand))


def _deliver_replies(choose: Callable[[Settings], OpenChannel]) -> None:
    """Run a process that sends the replies of one channel."""
    import asyncio
    import os
    from datetime import timedelta

    from ops.cli.servers import find_servers
    from producer.delivery.reply_deliverer import open_reply_deliverer
    from runtime.failpoints import read_failpoint
    from runtime.telemetry.logs import configure_logs
    from worker.conversation.opening_hours import add_open_time

    settings = find_servers()
    configure_logs(settings)
    span = timedelta(minutes=settings.answer_by_minutes)

    def answer_by(now: datetime, hours: EscalationHours) -> datetime:
        return add_open_time(now, span, hours)

    failpoint = read_failpoint(os.environ)
    asyncio.run(_run(open_reply_deliverer(settings, choose(settings), answer_by, failpoint=failpoint)))


async def _run(deliverer: AbstractAsyncContextManager[object]) -> None:
    from ops.cli.stopping import signalled_event

    signalled = signalled_event()
    async with deliverer:
        await signalled.wait()
