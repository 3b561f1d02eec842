"""Be a documentation server, on stdio or on a port: `python -m tests.integration.documentation_server [PORT]`."""

from __future__ import annotations

import asyncio
import sys

from mcp.server import MCPServer

server = MCPServer("handbook", log_level="ERROR")


@server.tool()
def search(query: str) -> str:
    """Search the ground staff's handbook."""
    return f"Handbook on {query}: kites fly as sports equipment. Ask desk@handbook.example or +1 415 555 0132."


@server.tool()
def erase(page: str) -> str:
    """Erase a page."""
    return f"{page} erased"


@server.tool()
async def ponder(query: str) -> str:
    """Think for longer than anybody waits."""
    await asyncio.Event().wait()
    return query


if __name__ == "__main__":
    if len(sys.argv) > 1:
        server.run("streamable-http", port=int(sys.argv[1]))
    else:
        server.run("stdio")
