"""The commands `fte channels …`: connect numbers and mailboxes, look after them and after what they send."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ops.cli.options import Json, Tenant

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ops.desk.channels import AccountDesk
    from schema.channels import Channel

channels = typer.Typer(no_args_is_help=True, help="Connect numbers and mailboxes: text messages and e-mail.")

AccountArgument = Annotated[str, typer.Argument(metavar="ACCOUNT", help="The account's id, ch_…; see list.")]
Values = Annotated[
    list[str] | None, typer.Argument(metavar="[NAME=VALUE]...", help="Settings; lists with commas between.")
]
SecretsFrom = Annotated[
    str | None,
    typer.Option(
        "--secrets", metavar="FILE", help="Secrets, NAME=VALUE a line; - reads standard input. Default: asked for."
    ),
]


@channels.command("add")
def add_account(
    channel: Annotated[str, typer.Argument(metavar="CHANNEL", help="sms or email.")],
    values: Values = None,
    secrets: SecretsFrom = None,
    tenant: Tenant = "default",
    as_json: Json = False,
) -> None:
    """Connect a number or a mailbox. Secrets come from a file, standard input or a prompt, never as an argument.

    sms: account_sid, numbers, messaging_services, public_url; api_key_sid, api_url, segments_max, validity_seconds.
    Its secrets: auth_token; api_key_secret, shared_keys.<id>.

    email: addresses, domain; authserv_id, authserv_hops, inbound_providers to receive; relay_host, relay_port,
    relay_security, relay_user to send. Its secrets: relay_password, and one for each of inbound_providers.

    docs/channels.md tells what each is.
    """
    from ops.cli.channel_values import read_secrets, read_values
    from ops.cli.channels_page import print_added
    from schema.channel_accounts import secrets_needed

    name = _channel(channel)
    settings = read_values(name, values or [])
    hidden = read_secrets(secrets, secrets_needed(name, settings))

    async def work(desk: AccountDesk) -> Any:
        return (await desk.read(await desk.add(name, settings, hidden)))[0]

    print_added(_run(tenant, work), tenant, as_json=as_json)


@channels.command("list")
def list_accounts(tenant: Tenant = "default", as_json: Json = False) -> None:
    """List accounts: whether they are stopped and why, how many replies wait or are dead."""
    from ops.cli.channels_page import print_accounts

    print_accounts(_run(tenant, lambda desk: desk.read()), tenant, as_json=as_json)


@channels.command("show")
def show_account(account: AccountArgument, tenant: Tenant = "default", as_json: Json = False) -> None:
    """Show an account: its settings, which secrets are set, and the URL to enter at the provider."""
    from ops.cli.channels_page import print_account

    print_account(_run(tenant, lambda desk: desk.find(account)), tenant, as_json=as_json)


@channels.command("set")
def set_account(account: AccountArgument, values: Values = None, tenant: Tenant = "default") -> None:
    """Change settings of an account; NAME= takes one back to its default. It holds within five seconds."""
    from ops.cli.channel_values import read_values

    async def work(desk: AccountDesk) -> None:
        channel = (await desk.find(account))["channel"]
        await desk.set(account, read_values(channel, values or []))

    _run(tenant, work)
    _say(f"{account} is set")


@channels.command("rotate")
def rotate_secrets(
    account: AccountArgument,
    secrets: SecretsFrom = None,
    overlap: Annotated[
        str, typer.Option("--overlap", metavar="SPAN", help="How long the old ones hold as well: 30m, 24h.")
    ] = "24h",
    tenant: Tenant = "default",
) -> None:
    """Give an account new secrets, those that are named; the ones before hold beside them for a while."""
    from ops.cli.channel_values import read_secrets
    from ops.cli.options import span_seconds
    from schema.channel_accounts import secrets_needed

    seconds = span_seconds(overlap)
    if seconds is None:
        raise typer.BadParameter(f"{overlap!r}: a span such as 30m or 24h", param_hint="--overlap")

    async def work(desk: AccountDesk) -> Any:
        found = await desk.find(account)
        wanted = secrets_needed(found["channel"], found["settings"])
        return await desk.rotate(account, read_secrets(secrets, wanted), seconds)

    until = _run(tenant, work)
    _say(
        f"{account} has new secrets"
        + (f"; the old ones hold until {until.astimezone():%Y-%m-%d %H:%M}" if until else "")
    )


@channels.command("enable")
def enable_account(account: AccountArgument, tenant: Tenant = "default") -> None:
    """Send by an account again that was stopped; what waits goes on."""
    _run(tenant, lambda desk: desk.enable(account))
    _say(f"{account} is enabled")


@channels.command("remove")
def remove_account(account: AccountArgument, tenant: Tenant = "default") -> None:
    """Remove an account with its routes and what waits for it. Who has opted out stays so."""
    _run(tenant, lambda desk: desk.remove(account))
    _say(f"{account} is removed")


@channels.command("check")
def check_account(account: AccountArgument, tenant: Tenant = "default", as_json: Json = False) -> None:
    """Ask the provider and the gateway whether all of it works, and send nothing. Exit code 1: something does not."""
    from ops.cli.channels_page import print_findings
    from ops.desk.channel_checks import check

    async def work(desk: AccountDesk) -> Any:
        return await check(await desk.open(account))

    findings = _run(tenant, work)
    print_findings(findings, as_json=as_json)
    if any(finding.state == "wrong" for finding in findings):
        raise typer.Exit(1)


@channels.command("test")
def try_account(
    account: AccountArgument,
    to: Annotated[str, typer.Option("--to", metavar="ADDRESS", help="Who gets it: +14155550101.")],
    tenant: Tenant = "default",
) -> None:
    """Send a test message now. Exit code 1: the provider did not take it."""
    from ops.desk.channel_checks import send_test

    outcome = _run(tenant, lambda desk: send_test(desk, account, to))
    _say(f"{outcome.kind}  {outcome.provider_id or outcome.reason}")
    if outcome.kind != "accepted":
        raise typer.Exit(1)


@channels.command("log")
def show_log(
    *,
    account: Annotated[str | None, typer.Option("--account", metavar="ACCOUNT", help="Only of this account.")] = None,
    conversation: Annotated[
        str | None, typer.Option("--conversation", metavar="ID", help="Only of this conversation.")
    ] = None,
    reply: Annotated[str | None, typer.Option("--reply", metavar="ID", help="Only this reply.")] = None,
    state: Annotated[
        str | None, typer.Option("--state", metavar="STATE", help="Only waiting, sent, dead, suppressed or withheld.")
    ] = None,
    last: Annotated[int, typer.Option("--last", "-n", min=1, max=1_000, metavar="N", help="How many messages.")] = 50,
    tenant: Tenant = "default",
    as_json: Json = False,
) -> None:
    """List replies that go out, newest first: their state, and what the provider told of each message."""
    from ops.cli.channels_page import print_log

    states = {None, "waiting", "sent", "dead", "suppressed", "withheld"}
    if state not in states:
        raise typer.BadParameter(f"{state!r}: waiting, sent, dead, suppressed or withheld", param_hint="--state")
    rows = _run(
        tenant,
        lambda desk: desk.log(
            account_id=account, reply_id=reply, conversation=conversation, state=state, rows_max=last
        ),
    )
    print_log(rows, tenant, as_json=as_json)


@channels.command("redrive")
def redrive(
    account: AccountArgument,
    replies: Annotated[list[str] | None, typer.Argument(metavar="[REPLY]...", help="Which; default: all dead.")] = None,
    tenant: Tenant = "default",
) -> None:
    """Send dead replies again. Messages that the provider took are left out."""
    queued = _run(tenant, lambda desk: desk.redrive(account, replies or []))
    _say(f"{queued} queued for {account}")


@channels.command("reconcile")
def reconcile_account(
    account: Annotated[
        str, typer.Argument(metavar="ACCOUNT|sms", help="The account's id, ch_…, or sms: each that the tenant has.")
    ],
    since: Annotated[
        str, typer.Option("--since", metavar="TIME", help="From when: 90m, 2h, 7d, or 2026-01-31T12:00Z.")
    ] = "24h",
    tenant: Tenant = "default",
) -> None:
    """Hand in what the provider's webhooks missed: its messages are read back, and each is taken once by its id."""
    import asyncio
    from datetime import UTC, datetime

    from ops.cli.dead import since_of
    from ops.cli.servers import find_servers
    from ops.desk.channel_reconciling import reconcile

    moment = since_of(since, datetime.now(UTC))
    accounts = [account]
    if account == "sms":
        accounts = [row["account_id"] for row in _run(tenant, lambda desk: desk.read(channel="sms"))]
    if not accounts:
        _say(f"no sms accounts of tenant {tenant}")
    for each in accounts:
        found = asyncio.run(reconcile(find_servers(), tenant, each, since=moment))
        told = f"{found.seen} messages since then, {found.accepted} had been missed, {found.commands} of them commands"
        _say(f"{each}: {told}")


@channels.command("suppressions")
def list_suppressions(
    last: Annotated[int, typer.Option("--last", "-n", min=1, max=1_000, metavar="N", help="How many.")] = 50,
    of: Annotated[str | None, typer.Option("--of", metavar="ADDRESS", help="Only this customer's.")] = None,
    tenant: Tenant = "default",
    as_json: Json = False,
) -> None:
    """List who may not be written to, newest first: by a key, for addresses are not stored."""
    from ops.cli.channels_page import print_suppressions

    print_suppressions(_run(tenant, lambda desk: desk.suppressions(of, rows_max=last)), tenant, as_json=as_json)


def _channel(text: str) -> Channel:
    from schema.channel_accounts import ACCOUNT_CHANNELS

    for name in ACCOUNT_CHANNELS:
        if text == name:
            return name
    raise typer.BadParameter(f"{text!r}: one of {', '.join(ACCOUNT_CHANNELS)}", param_hint="CHANNEL")


def _run(tenant: str, do: Callable[[AccountDesk], Awaitable[Any]]) -> Any:
    import asyncio

    from ops.cli.reading import open_database
    from ops.cli.servers import find_servers
    from ops.desk.channels import AccountDesk
    from runtime.configuration import open_sealer

    async def work() -> Any:
        settings = find_servers()
        async with open_database(settings) as database:
            return await do(AccountDesk(database, open_sealer(settings), tenant))

    return asyncio.run(work())


def _say(line: str) -> None:
    from ops.terminal import open_console

    open_console().print(line, markup=False, soft_wrap=True)
