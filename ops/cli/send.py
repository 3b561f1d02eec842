"""The command `fte send`: send messages from the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import typer

from ops.cli.options import CHANNEL_NAMES, Json, Tenant

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ops.cli.lines import InputLine
    from ops.cli.receipts import ReceiptPrinter
    from schema.settings.sending import SendingSettings


def send(
    file: Annotated[
        str | None, typer.Argument(metavar="[FILE]", help="Messages as JSON lines; - for standard input.")
    ] = None,
    *,
    text: Annotated[str | None, typer.Option("--text", "-t", help="One message's text, instead of a file.")] = None,
    conversation: Annotated[str | None, typer.Option("--conversation", metavar="ID", help="With --text.")] = None,
    channel: Annotated[str, typer.Option("--channel", help=f"{CHANNEL_NAMES}.")] = "chat",
    sender: Annotated[str, typer.Option("--sender", help="The customer's address on that channel.")] = "customer",
    subject: Annotated[str | None, typer.Option("--subject", help="Of an e-mail.")] = None,
    message_id: Annotated[
        str | None, typer.Option("--message-id", metavar="ID", help="The same id is answered once. Default: a new one.")
    ] = None,
    tenant: Tenant = "default",
    as_json: Json = False,
) -> None:
    """Send one message, or a file of them, and print a receipt for each.

    A refused message does not stop the others. Exit code 1: some were refused; 2: wrong usage, or no server.
    """
    import asyncio
    from contextlib import nullcontext

    from ops.cli.lines import open_input
    from ops.cli.receipts import ReceiptPrinter
    from ops.cli.servers import find_servers

    one: dict[str, Any] = {}
    if file is None:
        if text is None or conversation is None:
            raise typer.BadParameter("give a FILE (- for standard input), or --conversation and --text")
        one = {
            "message_id": message_id or _new_message_id(),
            "tenant": tenant,
            "conversation": conversation,
            "channel": channel,
            "sender": sender,
            "text": text,
        } | ({"subject": subject} if subject is not None else {})
    elif text is not None or conversation is not None or message_id is not None or subject is not None:
        raise typer.BadParameter("a FILE says everything itself: leave --text and the other options of a message out")
    settings = find_servers()
    printer = ReceiptPrinter(as_json=as_json)
    with nullcontext() if file is None else open_input(file) as stream:
        asyncio.run(_send_all(settings, _chunks(stream, one), printer))
    if printer.finish():
        raise typer.Exit(1)


def _new_message_id() -> str:
    from schema.ids import new_token

    return f"cli-{new_token()}"


async def _chunks(stream: BinaryIO | None, one: dict[str, Any]) -> AsyncIterator[list[InputLine]]:
    from ops.cli.lines import InputLine, read_chunks

    if stream is None:
        yield [InputLine(1, one, None)]
        return
    async for chunk in read_chunks(stream):
        yield chunk


async def _send_all(settings: SendingSettings, chunks: AsyncIterator[list[InputLine]], printer: ReceiptPrinter) -> None:
    from producer.sending.client import AsyncProducer
    from schema.errors import ServerUnreachable

    async with AsyncProducer(settings) as producer:
        async for chunk in chunks:
            outcomes = await producer.send_many([line.content for line in chunk if line.refused is None])
            sent = iter(outcomes)
            for line in chunk:
                printer.print(line.number, line.refused or next(sent))
            away = next((outcome for outcome in outcomes if isinstance(outcome, ServerUnreachable)), None)
            if away is not None:  # each following send would wait as long; sending all of them again is safe
                raise away
