"""Documentation servers: real processes, spoken to over HTTP and over stdio."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from agents import FileSearchTool, RunConfig, Runner
from agents.testing import ScriptedModel, assistant_message, function_call
from agents.tool_context import ToolContext
from pydantic import SecretStr, ValidationError

from runtime.loops import Loops
from runtime.outage import Outages
from schema.settings import Settings
from schema.settings.knowledge import DocumentationServer
from tests.unit.airline_stand_ins import make_turn
from tests.waiting import eventually
from worker.agents.pool import GraphPool
from worker.domains.airline.agents.graph import AgentGraph, build_graph
from worker.process.service import open_service
from worker.tools import documentation as module
from worker.tools.documentation import Documentation
from worker.tools.knowledge import hosted_search

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from schema.ids import ConversationKey
    from worker.conversation.context import TurnContext

PROGRAM = [sys.executable, "-m", "tests.integration.documentation_server"]
ON_STDIO = DocumentationServer(name="handbook", command=PROGRAM, environment={"PYTHONPATH": SecretStr(str(Path.cwd()))})


class HttpServer:
    """Run the documentation server on a port of its own, again and again."""

    def __init__(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self._running: subprocess.Popen[bytes] | None = None

    @property
    def settings(self) -> DocumentationServer:
        return DocumentationServer(
            name="handbook",
            url=f"http://127.0.0.1:{self.port}/mcp",
            headers={"Authorization": SecretStr("Bearer t0ken")},
            seconds_max=1,
        )

    def start(self) -> None:
        self._running = subprocess.Popen([*PROGRAM, str(self.port)], stderr=subprocess.DEVNULL)

    def kill(self) -> None:
        if self._running is not None:
            self._running.kill()
            self._running.wait()
            self._running = None


@pytest.fixture
def http_server() -> Iterator[HttpServer]:
    made = HttpServer()
    made.start()
    yield made
    made.kill()


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REOPEN_SECONDS", 0.1)
    monkeypatch.setattr(module, "REOPEN_SECONDS_MAX", 0.3)


@asynccontextmanager
async def opened(server: DocumentationServer) -> AsyncIterator[tuple[Documentation, GraphPool[AgentGraph]]]:
    """Open the servers as a worker does."""
    graphs = GraphPool(lambda: build_graph(documentation=documentation.tools))
    loops = Loops(Outages(Settings()))
    documentation = Documentation([server], graphs.renew, loops)
    await documentation.open(10)
    try:
        yield documentation, graphs
    finally:
        await loops.stop()


async def ask(graphs: GraphPool[AgentGraph], *calls: tuple[str, dict[str, Any]]) -> tuple[str, TurnContext, list[Any]]:
    """Run the FAQ Agent with a model that makes these calls and then answers; gives the tools' answers too."""
    turn = make_turn(text="May I take my kite?")
    steps = [[function_call(name, arguments, call_id=f"c{number}")] for number, (name, arguments) in enumerate(calls)]
    model = ScriptedModel([*steps, [assistant_message("Kites are fine.")]])
    with graphs.borrow() as graph:
        config = RunConfig(model=model, tracing_disabled=True, tool_not_found_behavior="return_error_to_model")
        result = await Runner.run(graph.faq, turn.text, context=turn, run_config=config)
    outputs = [item.output for item in result.new_items if item.type == "tool_call_output_item"]
    return str(result.final_output), turn, outputs


def is_offered(documentation: Documentation, name: str) -> bool:
    return name in {tool.name for tool in documentation.tools}


async def test_the_faq_agent_uses_the_tools_of_a_server_on_stdio() -> None:
    async with opened(ON_STDIO) as (_, graphs):
        answer, turn, outputs = await ask(graphs, ("handbook_search", {"query": "kites"}))

    found = json.loads(outputs[0])
    assert answer == "Kites are fine."
    assert (found["ok"], found["source"]) == (True, "handbook")
    assert "kites fly as sports equipment" in found["text"]
    assert "desk@handbook.example" not in found["text"]
    assert turn.vault.render(found["text"]).count("desk@handbook.example") == 1


async def test_only_the_tools_allowed_are_offered() -> None:
    async with opened(ON_STDIO.model_copy(update={"allowed_tools": ["search"]})) as (documentation, graphs):
        assert [tool.name for tool in documentation.tools] == ["handbook_search"]
        _, _, outputs = await ask(graphs, ("handbook_erase", {"page": "all"}))

    assert "erased" not in str(outputs[0])


async def test_a_server_killed_within_a_turn_costs_its_answer_and_comes_back_when_restarted(
    http_server: HttpServer,
) -> None:
    async with opened(http_server.settings) as (documentation, graphs):
        _, _, before = await ask(graphs, ("handbook_search", {"query": "kites"}))
        with graphs.borrow() as graph:
            (search,) = [tool for tool in graph.faq.tools if tool.name == "handbook_search"]
            http_server.kill()
            lost = await search.on_invoke_tool(_tool_context(make_turn()), '{"query": "kites"}')  # type: ignore[union-attr]
        await eventually(_not_offered(documentation))
        alone, _, _ = await ask(graphs)
        http_server.start()
        await eventually(_offered(documentation))
        _, _, after = await ask(graphs, ("handbook_search", {"query": "kites"}))

    assert json.loads(before[0])["ok"] is True
    assert json.loads(lost)["refusal"] == "documentation_unavailable"
    assert alone == "Kites are fine."
    assert json.loads(after[0])["ok"] is True


async def test_a_server_on_stdio_that_dies_is_started_again() -> None:
    async with opened(ON_STDIO) as (documentation, graphs):
        for program in _programs():
            program.send_signal(signal.SIGKILL)
        _, _, lost = await ask(graphs, ("handbook_search", {"query": "kites"}))
        await eventually(_offered(documentation))
        _, _, after = await ask(graphs, ("handbook_search", {"query": "kites"}))

    assert json.loads(lost[0])["ok"] is False
    assert json.loads(after[0])["ok"] is True


async def test_a_call_that_takes_too_long_is_given_up(http_server: HttpServer) -> None:
    async with opened(http_server.settings) as (_, graphs):
        answer, _, outputs = await ask(graphs, ("handbook_ponder", {"query": "kites"}))

    assert json.loads(outputs[0])["refusal"] == "documentation_unavailable"
    assert answer == "Kites are fine."


async def test_a_server_that_is_absent_at_the_start_is_waited_for_only_so_long_and_used_once_it_is_there() -> None:
    late = HttpServer()
    graphs = GraphPool(lambda: build_graph(documentation=documentation.tools))
    loops = Loops(Outages(Settings()))
    documentation = Documentation([late.settings], graphs.renew, loops)
    try:
        await documentation.open(0.2)
        without = list(documentation.tools)
        alone, _, _ = await ask(graphs)
        late.start()
        await eventually(_offered(documentation))
        _, _, outputs = await ask(graphs, ("handbook_search", {"query": "kites"}))
    finally:
        await loops.stop()
        late.kill()

    assert (without, alone) == ([], "Kites are fine.")
    assert json.loads(outputs[0])["ok"] is True


async def test_a_worker_opens_its_servers_when_it_starts_and_ends_them_when_it_stops(settings: Settings) -> None:
    async def ring(_keys: list[ConversationKey]) -> None:
        raise AssertionError("nothing rings here")

    service = await open_service(settings.model_copy(update={"mcp_servers": [ON_STDIO]}), ring)
    try:
        with service.brain.graphs.borrow() as graph:
            offered = [tool.name for tool in graph.faq.tools]
        running = _programs()
    finally:
        await service.close()

    assert offered == ["faq_lookup", "handbook_search", "handbook_erase", "handbook_ponder", "escalate_to_human"]
    assert len(running) == 1
    await eventually(_none_runs)


def test_vector_stores_are_searched_where_the_model_runs() -> None:
    (search,) = [
        tool for tool in build_graph(documentation=hosted_search(["vs_1"])).faq.tools if tool.name == "file_search"
    ]

    assert isinstance(search, FileSearchTool)
    assert search.vector_store_ids == ["vs_1"]


@pytest.mark.parametrize("model", ["local", "stub"])
def test_vector_stores_are_refused_with_a_model_that_cannot_search_them(model: str) -> None:
    with pytest.raises(ValidationError, match="FTE_VECTOR_STORE_IDS needs FTE_MODEL=openai"):
        Settings(model=model, vector_store_ids=["vs_1"])


@pytest.mark.parametrize(
    ("server", "reason"),
    [
        ({"name": "handbook"}, "give it a url or a command"),
        ({"name": "handbook", "url": "http://x", "command": ["y"]}, "give it a url or a command"),
        ({"name": "Hand book", "url": "http://x"}, "name"),
        ({"name": "handbook", "url": "ftp://x"}, "url"),
        ({"name": "handbook", "url": "http://x", "token": "y"}, "token"),
    ],
)
def test_a_server_described_wrongly_is_refused_with_the_settings(server: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        Settings(mcp_servers=[server])  # type: ignore[list-item]


def test_a_servers_secrets_do_not_show_in_the_settings() -> None:
    settings = Settings(mcp_servers=[HttpServer().settings])

    assert "t0ken" not in repr(settings)
    assert "t0ken" not in settings.model_dump_json()


def _programs() -> list[psutil.Process]:
    return [child for child in psutil.Process().children(recursive=True) if _is_server(child)]


async def _none_runs() -> bool:
    return not _programs()


def _is_server(process: psutil.Process) -> bool:
    try:
        return "tests.integration.documentation_server" in process.cmdline()
    except psutil.NoSuchProcess:  # ended meanwhile; a zombie counts as ended
        return False


def _tool_context(turn: TurnContext) -> ToolContext[TurnContext]:
    return ToolContext(turn, tool_name="handbook_search", tool_call_id="c1", tool_arguments="{}")


def _offered(documentation: Documentation) -> Any:
    async def check() -> bool:
        return is_offered(documentation, "handbook_search")

    return check


def _not_offered(documentation: Documentation) -> Any:
    async def check() -> bool:
        return not documentation.tools

    return check
