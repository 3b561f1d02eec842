"""Hold the lock files to their use: every version hashed, nothing left to resolve, no address of an index."""

from __future__ import annotations

import re
import tomllib
from typing import Any, Final

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture import sources

RUNTIME: Final = "requirements.lock"
DEVELOPMENT: Final = "requirements-dev.lock"
ADDRESS: Final = re.compile(r"://|\bfile:|^\s*-|\s@\s|\b\w+\.(?:org|com|net|io|dev)\b", re.MULTILINE)
PIN: Final = re.compile(r"^(?P<name>[a-z0-9._-]+)(?:\[[a-z,]+\])?==(?P<version>[^\s;]+)")


def lock_text(name: str) -> str:
    return (sources.ROOT / name).read_text()


def entries(text: str) -> list[str]:
    """Join each requirement with its continuation lines; comments are left out."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    return "\n".join(lines).replace("\\\n", " ").splitlines()


def pins(text: str) -> dict[str, str]:
    """Map each locked name to its version.

    A name may have several versions, for several Pythons; then they are joined.
    """
    found: dict[str, str] = {}
    for entry in entries(text):
        match = PIN.match(entry)
        assert match, f"not pinned: {entry[:80]}"
        found[match["name"]] = " ".join(filter(None, (found.get(match["name"]), match["version"])))
    return found


def addresses(text: str) -> list[str]:
    """List what looks like the address of an index, or an option that could name one."""
    without_hashes = re.sub(r"^\s+--hash=sha256:[0-9a-f]{64}( \\)?$", "", text, flags=re.MULTILINE)
    return ADDRESS.findall(without_hashes)


def project() -> dict[str, Any]:
    """Read the project's own table of pyproject.toml."""
    table: dict[str, Any] = tomllib.loads((sources.ROOT / "pyproject.toml").read_text())["project"]
    return table


def optional(*extras: str) -> list[Requirement]:
    """Read what pyproject.toml asks for in `extras`."""
    return [Requirement(line) for extra in extras for line in project()["optional-dependencies"][extra]]


def required(*extras: str) -> list[Requirement]:
    """Read what pyproject.toml asks for, with `extras`."""
    return [*(Requirement(line) for line in project()["dependencies"]), *optional(*extras)]


@pytest.mark.parametrize("name", [RUNTIME, DEVELOPMENT])
def test_a_lock_file_names_no_host(name: str) -> None:
    assert addresses(lock_text(name)) == []


@pytest.mark.parametrize("name", [RUNTIME, DEVELOPMENT])
def test_every_locked_package_has_a_hash(name: str) -> None:
    assert [entry for entry in entries(lock_text(name)) if "--hash=sha256:" not in entry] == []


def test_the_development_lock_holds_every_package_of_the_runtime_at_the_same_version() -> None:
    runtime, development = pins(lock_text(RUNTIME)), pins(lock_text(DEVELOPMENT))

    assert {name: development.get(name) for name in runtime} == runtime


@pytest.mark.parametrize(("name", "extras"), [(RUNTIME, ["build"]), (DEVELOPMENT, ["build", "dev"])])
def test_a_lock_file_satisfies_what_the_project_asks_for(name: str, extras: list[str]) -> None:
    locked = pins(lock_text(name))

    unsatisfied = [
        str(requirement)
        for requirement in required(*extras)
        if not any(
            requirement.specifier.contains(version)
            for version in locked.get(canonicalize_name(requirement.name), "").split()
        )
    ]

    assert unsatisfied == []


def test_the_build_backend_is_locked_as_the_build_system_asks_for_it() -> None:
    build_system = tomllib.loads(lock_text("pyproject.toml"))["build-system"]

    assert [Requirement(line) for line in build_system["requires"]] == optional("build")


@pytest.mark.parametrize(
    "line",
    [
        "--index-url https://example.invalid/simple",
        "--find-links wheels",
        "package @ file:///tmp/package.whl",
        "# from packages.example.org",
    ],
)
def test_an_address_is_found_wherever_it_hides(line: str) -> None:
    assert addresses(f"six==1.17.0 \\\n    --hash=sha256:{'0' * 64}\n{line}\n") != []


def test_hashes_and_annotations_are_no_addresses() -> None:
    assert addresses(f"six==1.17.0 \\\n    --hash=sha256:{'0' * 64}\n    # via python-dateutil\n") == []
