"""Hold the folders apart: who may import whom, and what the schema may stand on."""

from __future__ import annotations

import sys
import tomllib
from graphlib import CycleError, TopologicalSorter
from importlib.metadata import packages_distributions
from typing import Final

import grimp
import pytest
from importlinter.cli import lint_imports
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture import sources

SCHEMA_STANDS_ON: Final = frozenset({"pydantic", "pydantic_settings"})
# For `make evaluate` and to train classifiers: developers' commands, so no deployment installs them.
DEVELOPMENT_ONLY: Final = {
    "mkdocs": ("mkdocs-material", {"ops.site.hooks"}),
    "matplotlib": ("matplotlib", {"ops.lab.evaluate.picture"}),
    "scipy": ("scikit-learn", {"worker.guardrails.train"}),
    "sklearn": ("scikit-learn", {"worker.domains.airline.local.train", "worker.guardrails.train"}),
}
"""A package as it is imported, and under what name it is installed for which modules' commands."""


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph(*sources.PACKAGES, include_external_packages=True, cache_dir=None)


def imported_from(graph: grimp.ImportGraph, package: str) -> set[str]:
    """Name the top-level packages that any module of `package` imports, itself and the standard library left out."""
    modules = {package, *graph.find_descendants(package)}
    imported = {found for module in modules for found in graph.find_modules_directly_imported_by(module)}
    return {module.split(".")[0] for module in imported - modules} - sys.stdlib_module_names


def import_cycle(graph: grimp.ImportGraph) -> list[str]:
    """Return the modules of one import cycle, the first one repeated at its end; empty when there is none."""
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        cycle: list[str] = error.args[1]
        return cycle
    return []


def test_every_import_contract_is_kept(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(sources.ROOT)

    exit_code = lint_imports(no_cache=True)

    assert exit_code == 0, capsys.readouterr().out


def test_the_schema_stands_on_pydantic_and_the_standard_library_alone(graph: grimp.ImportGraph) -> None:
    assert imported_from(graph, "schema") - {"schema"} <= SCHEMA_STANDS_ON


def test_the_runtime_imports_nothing_of_ours_but_the_schema(graph: grimp.ImportGraph) -> None:
    assert imported_from(graph, "runtime") & set(sources.PACKAGES) <= {"schema"}


def test_every_package_that_is_imported_is_asked_for(graph: grimp.ImportGraph) -> None:
    project = tomllib.loads((sources.ROOT / "pyproject.toml").read_text())["project"]
    asked = {canonicalize_name(Requirement(line).name) for line in project["dependencies"]}
    imported = {name for package in sources.PACKAGES for name in imported_from(graph, package)}

    providers = packages_distributions()
    found = {
        name for name in imported if not asked & {canonicalize_name(provider) for provider in providers.get(name, [])}
    }

    assert found - set(sources.PACKAGES) == set(DEVELOPMENT_ONLY)


def test_what_only_development_installs_is_imported_by_its_commands_alone(graph: grimp.ImportGraph) -> None:
    extras = tomllib.loads((sources.ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    asked = {canonicalize_name(Requirement(line).name) for line in extras["dev"]}

    for package, (distribution, modules) in DEVELOPMENT_ONLY.items():
        assert distribution in asked
        assert graph.find_modules_that_directly_import(package) == modules


def test_no_modules_import_each_other_in_a_circle(graph: grimp.ImportGraph) -> None:
    assert import_cycle(graph) == []


def test_an_import_cycle_is_found_however_long() -> None:
    graph = grimp.ImportGraph()
    for module in ("a", "b", "c"):
        graph.add_module(module)
    for importer, imported in (("a", "b"), ("b", "c"), ("c", "a")):
        graph.add_import(importer=importer, imported=imported)

    assert set(import_cycle(graph)) == {"a", "b", "c"}
