"""What operators are shown of a product that is up, and what its processes serve."""

from __future__ import annotations

import asyncio
import json
import signal
import time
import urllib.request
from typing import TYPE_CHECKING, Final

from ops.watch.facts import WorkerSeen, read_workers
from runtime.redis import make_redis
from schema.settings import Settings
from tests.acceptance.fte_process import Fte, new_conversation

if TYPE_CHECKING:
    from pathlib import Path

    from tests.acceptance.fte_process import Up

LATEST_SECONDS: Final = 30.0


def metrics_at(port: int, address: str = "127.0.0.1") -> str:
    with urllib.request.urlopen(f"http://{address}:{port}/metrics", timeout=10) as answer:
        text: str = answer.read().decode()
    return text


def workers_of(up: Up) -> list[WorkerSeen]:
    """Read who is there in this process: a command takes a second to start."""

    async def read() -> list[WorkerSeen]:
        client = make_redis(Settings(database_url=up.database_url, redis_url=up.redis_url))
        try:
            return await read_workers(client)
        finally:
            await client.aclose()

    return asyncio.run(read())


def wait_for_workers(up: Up, state: str) -> list[WorkerSeen]:
    deadline = time.monotonic() + LATEST_SECONDS
    while {worker.state for worker in workers_of(up)} != {state}:
        assert time.monotonic() < deadline, workers_of(up)
        time.sleep(0.1)
    return workers_of(up)


def test_status_top_and_doctor_show_what_is_up(up: Up) -> None:
    conversation = new_conversation()
    up.say(conversation, "How many bags can I bring?")
    up.wait_for("replies", conversation, 1)
    verified = up.run("verify")

    status = up.run("status", "--json")
    top = up.run("top", "--json", "--count", "200")
    doctor = up.run("doctor", "--json")

    assert (verified.code, status.code, top.code, doctor.code) == (0, 0, 0, 0), verified.output
    [record] = status.lines
    assert {server["name"] for server in record["servers"]} == {"PostgreSQL", "Redis"}
    assert record["flow"]["messages"] >= 1
    assert record["verified"]["violations"]["conservation"] == 0
    assert conversation in {busy["conversation_id"] for busy in top.lines[0]["busiest"]}
    assert {line["verdict"] for line in doctor.lines} <= {"well", "doubtful"}
    assert {"PostgreSQL", "Redis", "clocks", "workers", "connections"} <= {line["about"] for line in doctor.lines}


def test_status_and_doctor_of_servers_that_are_away_say_so_and_end_with_1(tmp_path: Path) -> None:
    away = {"FTE_DATABASE_URL": "postgresql://fte@127.0.0.1:1/fte", "FTE_REDIS_URL": "redis://127.0.0.1:1/0"}
    fte = Fte(tmp_path / "state", away)

    status, doctor = fte.run("status", "--json"), fte.run("doctor", "--json")

    assert (status.code, doctor.code) == (1, 1)
    assert [server["answers_ms"] for server in status.lines[0]["servers"]] == [None, None]
    assert {line["about"] for line in doctor.lines if line["verdict"] == "wrong"} == {"PostgreSQL", "Redis"}


def test_a_worker_that_is_paused_answers_nobody_until_it_goes_on(up: Up) -> None:
    conversation = new_conversation()
    [worker] = wait_for_workers(up, "working")

    paused = up.run("workers", "pause", worker.name)
    wait_for_workers(up, "paused")
    up.say(conversation, "How many bags can I bring?")
    waiting = up.run("status", "--json").lines[0]["waiting"]
    resumed = up.run("workers", "resume", "--all")

    assert (paused.code, resumed.code) == (0, 0)
    assert waiting["messages"] == 1
    assert len(up.wait_for("replies", conversation, 1)) == 1
    assert up.run("workers", "pause", "nobody@nowhere").code == 1
    assert up.run("workers", "pause").code == 2


def test_the_processes_of_a_product_serve_their_metrics_and_one_those_of_all(tmp_path: Path) -> None:
    listen = {"FTE_METRICS_LISTEN": "127.0.0.1:0", "FTE_GATEWAY_METRICS_LISTEN": "127.0.0.2:0"}
    fte = Fte(tmp_path / "state", listen)
    conversation = new_conversation()
    with fte.up() as up:
        up.say(conversation, "How many bags can I bring?")
        up.wait_for("replies", conversation, 1)
        [worker] = wait_for_workers(up, "working")
        of_worker = metrics_at(worker.metrics_port or 0)
        logged = [json.loads(line) for line in (tmp_path / "state/gateway-0.log").read_text().splitlines()]
        [port] = [line["port"] for line in logged if line["event"] == "metrics.served"]
        of_gateway = metrics_at(port, "127.0.0.2")
        with fte.start("metrics", "--listen", "127.0.0.1:0", "--json") as exporter:
            port = json.loads(exporter.read_line())["port"]
            deadline = time.monotonic() + LATEST_SECONDS
            while "fte_conservation_gap 0.0" not in metrics_at(port):
                assert time.monotonic() < deadline
            of_all = metrics_at(port)
            code = exporter.stop(signal.SIGTERM)

    assert 'fte_messages_done_total{channel="chat",tenant="default"} 1.0' in of_worker
    assert "fte_loop_lag_seconds_count" in of_gateway
    assert "fte_gateway_streams_open 0.0" in of_gateway
    assert 'fte_workers{state="working"} 1.0' in of_all
    assert code == 0


def test_a_drained_worker_finishes_and_ends_with_0(up: Up) -> None:
    addresses = {"FTE_DATABASE_URL": up.database_url, "FTE_REDIS_URL": up.redis_url}
    fte = Fte(up.fte.state_dir, addresses)
    before = {worker.name for worker in workers_of(up)}
    with fte.start("worker") as running:
        deadline = time.monotonic() + LATEST_SECONDS
        while not (names := {worker.name for worker in workers_of(up)} - before):
            assert time.monotonic() < deadline
            time.sleep(0.1)

        drained = up.run("workers", "drain", names.pop())
        code = running.popen.wait(LATEST_SECONDS)

    assert drained.code == 0
    assert code == 0
    assert {line["name"] for line in up.run("workers", "list", "--json").lines} == before
