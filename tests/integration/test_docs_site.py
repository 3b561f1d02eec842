"""The documentation builds as a site without the network, whole, and with a reference of everything there is."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from ops.cli.main import app
from runtime.configuration import setting_names
from runtime.encoding import parse_json

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site where `http_proxy` leads nowhere, with warnings as errors."""
    folder = tmp_path_factory.mktemp("site")
    nowhere = {"http_proxy": "http://127.0.0.1:1", "https_proxy": "http://127.0.0.1:1", "NO_MKDOCS_2_WARNING": "1"}
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    built = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **nowhere}, capture_output=True, encoding="utf-8", check=False
    )
    assert built.returncode == 0, built.stdout + built.stderr
    return folder


def page(site: Path, name: str) -> str:
    return (site / name).read_text(encoding="utf-8")


def test_every_document_is_a_page(site: Path) -> None:
    documents = {file.with_suffix(".html").name for file in (ROOT / "docs").glob("*.md")}

    assert documents <= {file.name for file in site.glob("*.html")}
    assert {"index.html", "architecture.html", "changelog.html"} <= {file.name for file in site.glob("*.html")}


def test_no_page_loads_anything_from_elsewhere(site: Path) -> None:
    loads = re.compile(
        r"<(?:script|img|iframe|source)[^>]+src=\"?(?:https?:)?//|<link[^>]+stylesheet[^>]+href=\"?https?:"
    )

    assert {file.name: loads.findall(file.read_text(encoding="utf-8")) for file in site.rglob("*.html")} == {
        file.name: [] for file in site.rglob("*.html")
    }


def test_the_reference_has_every_setting_every_command_and_every_operation(site: Path) -> None:
    settings, commands = page(site, "reference/settings.html"), page(site, "reference/commands.html")
    http, document = page(site, "reference/http.html"), parse_json((ROOT / "docs/openapi.json").read_bytes())

    assert [name for name in setting_names() if f"<code>{name}</code>" not in settings] == []
    names = [name for name, command in typer.main.get_command(app).commands.items() if not command.hidden]  # type: ignore[attr-defined]
    assert [name for name in names if f"fte {name}" not in commands] == []
    assert [path for path in document["paths"] if path not in http] == []


def test_the_reference_has_every_table(site: Path) -> None:
    tables = re.findall(r"CREATE TABLE public\.(\w+)", (ROOT / "schema/structure.sql").read_text(encoding="utf-8"))
    database = page(site, "reference/database.html")

    assert len(tables) > 30
    assert [name for name in tables if f'id="{name}"' not in database] == []


def test_what_somebody_looks_for_is_found(site: Path) -> None:
    index = parse_json((site / "search/search_index.json").read_bytes())

    assert any("legal hold" in entry["text"].lower() for entry in index["docs"])
    assert any(entry["location"].startswith("reference/commands.html") for entry in index["docs"])
