"""A worker is warm before its first customer's turn, whatever model it asks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# In a process of its own: in this one, other tests have loaded everything.
PROGRAM = """
import asyncio, sys
from schema.settings import Settings
from worker.domains.airline.domain import AIRLINE
from worker.agents.pool import GraphPool
from worker.domains.airline.agents.graph import build_graph
from worker.guardrails.inputs import input_guardrails
from worker.models.dry import make_dry_client
from worker.models.provider import build_model_provider
from worker.pipeline.act import Brain
from worker.process.warmup import warm_up

settings = Settings.model_validate({"model": sys.argv[1], "OPENAI_API_KEY": "any", "OPENAI_BASE_URL": "http://127.0.0.1:9/v1"})
provider = build_model_provider(settings, local=AIRLINE.local_model)
guardrails = input_guardrails(settings)
asyncio.run(warm_up(Brain(GraphPool(build_graph), provider, guardrails, None, None, None, settings, AIRLINE)))
loaded = set(sys.modules)
client = make_dry_client()
ask = client.responses.create(model="m", input="hi") if sys.argv[1] == "openai:m" else client.chat.completions.create(
    model="m", messages=[{"role": "user", "content": "hi"}])
asyncio.run(ask)
print(*sorted(name for name in set(sys.modules) - loaded if name.startswith("openai")))
"""


@pytest.mark.parametrize("model", ["openai:m", "openai-chat:m"])
def test_a_providers_client_is_loaded_before_the_first_turn_and_without_its_network(model: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, model],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []
