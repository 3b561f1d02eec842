"""Offer the tools of documentation servers (Model Context Protocol): opened once per process, reopened when lost.

An agent has what is connected when its run begins. A server that is away costs its tools and nothing else: a run in
which it is lost gets an answer that says so, and later runs do without until it is back.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import structlog
from agents import FunctionTool
from agents.mcp import MCPServer, MCPServerStdio, MCPServerStreamableHttp

from runtime.loops import Loop, RoundMissed
from worker.conversation.refusal import Refusal
from worker.guardrails.pii import mask_text, normalise
from worker.tools.results import give, refuse

if TYPE_CHECKING:
    from agents.tool_context import ToolContext
    from mcp.types import Tool

    from runtime.loops import Loops
    from schema.settings.knowledge import DocumentationServer
    from worker.conversation.context import TurnContext

CONNECT_SECONDS_MAX = 10.0
"""How long opening one connection and reading its list of tools may take."""

PROBE_SECONDS = 30.0
"""How often a connection is looked at, and its list of tools read anew."""

REOPEN_SECONDS = 0.5
REOPEN_SECONDS_MAX = 30.0
"""First and longest wait before a lost server is tried again; doubles."""

_log = structlog.get_logger("fte.documentation")

_UNAVAILABLE = Refusal(
    "documentation_unavailable", "This documentation cannot be searched at the moment.", counts=False
)


class Documentation:
    """Connections to a process's documentation servers, each kept by one of its loops, which end with them."""

    def __init__(self, servers: Sequence[DocumentationServer], changed: Callable[[], None], loops: Loops) -> None:
        self._changed = changed
        self._loops = loops
        self._links = [_Link(server, self._note) for server in servers]

    @property
    def tools(self) -> list[FunctionTool]:
        """Return the tools of all servers that are connected now, by server in the order of the settings."""
        return [tool for link in self._links for tool in link.tools]

    async def open(self, seconds_max: float) -> None:
        """Start to connect, and wait until all servers are there or the time is over; the others follow later."""
        self._loops.start([link.loop() for link in self._links])
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds_max):
                for link in self._links:
                    await link.connected.wait()

    def _note(self) -> None:
        self._changed()


class _Link:
    """Connection to one server: one loop opens, probes and closes it, since the session belongs to the loop's task."""

    def __init__(self, server: DocumentationServer, changed: Callable[[], None]) -> None:
        self.name = server.name
        self.tools: list[FunctionTool] = []
        self.connected = asyncio.Event()
        self._settings = server
        self._changed = changed
        self._suspect = asyncio.Event()
        self._server: MCPServer | None = None
        self._reopen_seconds = REOPEN_SECONDS

    def loop(self) -> Loop:
        """Return the loop that connects, looks whether the server is there, and connects again when it is not."""
        return Loop(f"documentation {self.name}", self.look, PROBE_SECONDS, wait=self.wait, at_once=True)

    async def look(self) -> None:
        """Connect unless connected, and read the list of tools; raises RoundMissed when the server is not there.

        Whatever a foreign server does, the worker goes on without it.
        """
        self._suspect.clear()
        try:
            async with asyncio.timeout(CONNECT_SECONDS_MAX):
                if self._server is None:
                    self._server = _make_server(self._settings)
                    await self._server.connect()  # type: ignore[no-untyped-call]
                listed = await self._server.list_tools()
        except Exception as error:
            _log.warning("documentation.lost", server=self.name, reason=type(error).__name__)
            await self._close()
            raise RoundMissed from error
        except BaseException:
            await self._close()
            raise
        self._reopen_seconds = REOPEN_SECONDS
        if not self.connected.is_set():
            _log.info("documentation.connected", server=self.name, tools=len(listed))
        self._offer([self._convert(self._server, tool) for tool in listed if self._is_allowed(tool)])

    async def wait(self, _seconds: float) -> None:
        """Wait until the connection is to be looked at, or opened again."""
        try:
            if self._server is None:
                seconds, self._reopen_seconds = self._reopen_seconds, min(REOPEN_SECONDS_MAX, self._reopen_seconds * 2)
                await asyncio.sleep(seconds)
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(PROBE_SECONDS):
                    await self._suspect.wait()
        except BaseException:
            await self._close()
            raise

    async def _close(self) -> None:
        server, self._server = self._server, None
        self._offer([])
        if server is not None:
            await _close(server)

    def _is_allowed(self, tool: Tool) -> bool:
        return not self._settings.allowed_tools or tool.name in self._settings.allowed_tools

    def _offer(self, tools: list[FunctionTool]) -> None:
        is_change = [tool.name for tool in tools] != [tool.name for tool in self.tools]
        self.tools = tools if is_change else self.tools
        if tools:
            self.connected.set()
        else:
            self.connected.clear()
        if is_change:
            self._changed()

    def _convert(self, server: MCPServer, tool: Tool) -> FunctionTool:
        async def search(context: ToolContext[TurnContext], arguments: str) -> str:
            return await self._call(server, tool.name, context.context, arguments)

        return FunctionTool(
            name=f"{self.name}_{tool.name}",
            description=tool.description or f"Search {self.name}.",
            params_json_schema={"properties": {}, **tool.input_schema},
            on_invoke_tool=search,
            strict_json_schema=False,  # a foreign schema need not be of the strict kind
        )

    async def _call(self, server: MCPServer, tool: str, turn: TurnContext, arguments: str) -> str:
        try:
            async with asyncio.timeout(self._settings.seconds_max):
                result = await server.call_tool(tool, json.loads(arguments or "{}"))
        except Exception as error:  # noqa: BLE001 - the model reads that the search failed, and answers without it
            self._suspect.set()
            _log.warning("documentation.call_failed", server=self.name, tool=tool, reason=type(error).__name__)
            return refuse(turn, _UNAVAILABLE)
        text = "\n\n".join(part.text for part in result.content if part.type == "text")
        if result.is_error:
            return refuse(turn, _UNAVAILABLE)
        # Others' documents may hold what looks private; a contact's number comes back when the reply is rendered.
        masked = mask_text(normalise(text), turn.vault).text
        return give(turn, found=bool(masked.strip()), source=self.name, text=masked)


def _make_server(settings: DocumentationServer) -> MCPServer:
    if settings.url is not None:
        headers = {name: value.get_secret_value() for name, value in settings.headers.items()}
        return MCPServerStreamableHttp(
            params={"url": settings.url, "headers": headers, "timeout": settings.seconds_max},
            name=settings.name,
            client_session_timeout_seconds=settings.seconds_max,
        )
    environment = {name: value.get_secret_value() for name, value in settings.environment.items()}
    return MCPServerStdio(
        params={"command": settings.command[0], "args": settings.command[1:], "env": environment},
        name=settings.name,
        client_session_timeout_seconds=settings.seconds_max,
    )


async def _close(server: MCPServer) -> None:
    try:
        await server.cleanup()  # type: ignore[no-untyped-call]
    except Exception as error:  # noqa: BLE001 - it is gone either way
        _log.debug("documentation.not_closed", server=server.name, reason=type(error).__name__)
