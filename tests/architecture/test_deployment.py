"""Hold the container files to what the promises need of a deployment."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from itertools import pairwise
from typing import Any

import pytest
import yaml

from schema.settings import Settings
from tests.architecture import sources


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    compose: dict[str, Any] = yaml.safe_load((sources.ROOT / "docker-compose.yml").read_text())
    services: dict[str, Any] = compose["services"]
    return services


def instructions(text: str) -> list[tuple[str, str]]:
    """List a Dockerfile's instructions with their arguments."""
    lines = [line for line in text.replace("\\\n", " ").splitlines() if line.strip() and not line.startswith("#")]
    return [(name, rest) for name, _, rest in (line.partition(" ") for line in lines)]


@pytest.fixture(scope="module")
def dockerfile() -> list[tuple[str, str]]:
    return instructions((sources.ROOT / "Dockerfile").read_text())


def seconds(text: str) -> int:
    match = re.fullmatch(r"(\d+)s", text)
    assert match, f"not in seconds: {text}"
    return int(match[1])


def fte(*arguments: str) -> int:
    """Run the command line in a process of its own and return its exit code."""
    command = [sys.executable, "-m", "ops.cli.main", *arguments]
    return subprocess.run(command, cwd=sources.ROOT, capture_output=True, check=False).returncode


def test_redis_keeps_what_it_accepted_and_evicts_nothing(services: dict[str, Any]) -> None:
    settings = dict(pairwise(services["redis"]["command"]))

    assert settings["--appendonly"] == "yes"
    assert settings["--appendfsync"] in {"everysec", "always"}
    assert settings["--maxmemory-policy"] == "noeviction"


@pytest.mark.parametrize("name", ["postgres", "redis"])
def test_a_server_is_watched_keeps_its_data_and_is_reached_from_this_machine_alone(
    services: dict[str, Any], name: str
) -> None:
    server = services[name]

    assert server["healthcheck"]["test"]
    assert server["volumes"]
    assert all(port.startswith("127.0.0.1:") for port in server["ports"])


def test_a_worker_starts_only_on_healthy_servers_and_a_migrated_database(services: dict[str, Any]) -> None:
    conditions = {name: how["condition"] for name, how in services["worker"]["depends_on"].items()}

    assert conditions == {
        "postgres": "service_healthy",
        "redis": "service_healthy",
        "migrate": "service_completed_successfully",
    }
    assert services["migrate"]["restart"] == "no"


@pytest.mark.parametrize("name", ["migrate", "worker", "gateway", "deliver-webhooks", "deliver-email", "metrics"])
def test_no_process_falls_back_to_servers_or_a_key_inside_its_container(services: dict[str, Any], name: str) -> None:
    required = {setting for setting, value in services[name]["environment"].items() if ":?" in value}

    assert required == {"FTE_DATABASE_URL", "FTE_REDIS_URL", "FTE_VAULT_KEYS"}


def test_a_stopping_worker_has_longer_than_its_turns_take_to_finish(services: dict[str, Any]) -> None:
    finish_seconds_max = Settings.model_fields["stop_seconds_max"].default

    assert seconds(services["worker"]["stop_grace_period"]) > finish_seconds_max


def test_the_gateway_logs_in_as_one_that_sees_single_tenants_and_is_reached_from_this_machine_alone(
    services: dict[str, Any],
) -> None:
    gateway = services["gateway"]

    assert gateway["environment"]["FTE_DATABASE_URL"].startswith("${FTE_HTTP_DATABASE_URL:?")
    assert gateway["environment"]["POSTGRES_PASSWORD"] == ""
    assert "/v1/health/ready" in " ".join(gateway["healthcheck"]["test"])
    assert all(port.startswith("127.0.0.1:") for port in gateway["ports"])
    assert gateway["depends_on"]["login"] == {"condition": "service_completed_successfully"}
    assert seconds(gateway["stop_grace_period"]) > Settings.model_fields["gateway_stop_seconds_max"].default


def test_prometheus_asks_every_process_that_serves_metrics(services: dict[str, Any]) -> None:
    told = (sources.ROOT / "deploy/prometheus/compose.yml").read_text()
    (each, whole) = yaml.safe_load(told)["scrape_configs"]
    asked = {name for found in each["dns_sd_configs"] for name in found["names"]}

    serving = {name for name, service in services.items() if service.get("build")} - {"migrate", "metrics"}
    assert asked == serving
    assert whole["static_configs"] == [{"targets": ["metrics:9099"]}]


def test_no_secret_has_a_value_in_the_example() -> None:
    lines = shlex.split((sources.ROOT / ".env.example").read_text(), comments=True)
    values = dict(line.split("=", 1) for line in lines)

    secrets = ("POSTGRES_PASSWORD", "REDIS_PASSWORD", "GATEWAY_PASSWORD", "GRAFANA_PASSWORD", "FTE_VAULT_KEYS")
    assert {name: values[name] for name in secrets} == dict.fromkeys(secrets, "")


def test_every_setting_in_the_example_exists() -> None:
    lines = shlex.split((sources.ROOT / ".env.example").read_text(), comments=True)
    named = {line.split("=", 1)[0] for line in lines if line.startswith("FTE_")}

    assert named <= {f"FTE_{field.upper()}" for field in Settings.model_fields}


def test_the_image_installs_only_what_is_hashed(dockerfile: list[tuple[str, str]]) -> None:
    installs = [rest for name, rest in dockerfile if name == "RUN" and "pip install" in rest]

    assert len(installs) == 2
    assert all("--require-hashes" in install or "--no-deps" in install for install in installs)


def test_the_image_runs_as_an_ordinary_user(dockerfile: list[tuple[str, str]]) -> None:
    last_stage = dockerfile[max(at for at, (name, _) in enumerate(dockerfile) if name == "FROM") :]

    assert ("USER", "fte") in last_stage


def test_the_build_sees_every_folder_that_the_image_copies(dockerfile: list[tuple[str, str]]) -> None:
    copied = {
        word for name, rest in dockerfile if name == "COPY" and "--from" not in rest for word in rest.split()[:-1]
    }
    seen = {line.removeprefix("!") for line in (sources.ROOT / ".dockerignore").read_text().splitlines()}

    assert copied >= set(sources.PACKAGES)
    assert copied <= seen


def test_every_command_that_the_containers_and_the_makefile_run_exists(
    services: dict[str, Any], dockerfile: list[tuple[str, str]]
) -> None:
    started = {service["command"][0] for name, service in services.items() if service.get("build")}
    default = {word for name, rest in dockerfile if name == "CMD" for word in yaml.safe_load(rest)}
    made = set(re.findall(r"\$\(BIN\)/fte (\S+)", (sources.ROOT / "Makefile").read_text()))

    assert {"demo", "load"} <= made
    assert {name: fte(name, "--help") for name in started | default | made} == dict.fromkeys(
        started | default | made, 0
    )
