"""Hold the code to its shape: short files, short functions, few parameters, plain names, nothing done at import."""

from __future__ import annotations

import ast
import math
from pathlib import Path
from typing import Final

import pytest

from tests.architecture import sources
from tests.architecture.sources import Source

FILE_LINES_MAX: Final = 400
FUNCTION_LINES_MAX: Final = 50
FUNCTION_LINES_P99_MAX: Final = 34
"""Of a hundred functions of the product ninety-nine are no longer: one may be a screen long, and few are."""
POSITIONAL_PARAMETERS_MAX: Final = 5
TEXT_MODES: Final = frozenset({"r", "w", "a", "x", "r+", "w+", "a+"})
# Words that say nothing about what a thing does.
EMPTY_WORDS: Final = frozenset(
    {"manager", "managers", "handler", "handlers", "helper", "helpers", "util", "utils", "utility", "utilities"}
    | {"common", "misc"}
)
IMPOSED_NAMES: Final = frozenset({"get_route_handler"})
"""What a library calls the method that one of its classes is made to be extended by: FastAPI's."""


def long_files(lines: dict[str, int]) -> list[str]:
    return [f"{place}: {count} lines" for place, count in lines.items() if count > FILE_LINES_MAX]


def long_functions(source: Source) -> list[str]:
    code_lines = source.code_lines()
    lengths = {function: sources.length(function, code_lines) for function in source.functions()}
    return [
        f"{source.place}:{function.lineno} {function.name}: {count} lines of code"
        for function, count in lengths.items()
        if count > FUNCTION_LINES_MAX
    ]


def ninety_ninth(lengths: list[int]) -> int:
    """Return the length that 99 % of the functions do not exceed (nearest rank)."""
    return sorted(lengths)[math.ceil(0.99 * len(lengths)) - 1]


def wide_functions(source: Source) -> list[str]:
    return [
        f"{source.place}:{function.lineno} {function.name}: {len(sources.positional_parameters(function))} parameters"
        for function in source.functions()
        if not sources.is_override(function)
        if len(sources.positional_parameters(function)) > POSITIONAL_PARAMETERS_MAX
    ]


def empty_names(source: Source) -> list[str]:
    return [
        f"{source.place}:{line} {name}"
        for line, name in sources.defined_names(source)
        if sources.words(name) & EMPTY_WORDS and name not in IMPOSED_NAMES
    ]


def public_classes(source: Source) -> list[str]:
    return [node.name for node in source.tree.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_")]


def doubled_names(names: dict[str, list[str]]) -> list[str]:
    places: dict[str, list[str]] = {}
    for place, several in names.items():
        for name in several:
            places.setdefault(name, []).append(place)
    return [f"{name}: {', '.join(those)}" for name, those in sorted(places.items()) if len(those) > 1]


def environment_reads_at_import(source: Source) -> list[str]:
    """List the places outside functions that touch the process's environment."""
    found = []
    waiting: list[ast.AST] = [source.tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            continue
        if isinstance(node, ast.Attribute) and ast.unparse(node) in {"os.environ", "os.getenv", "os.environb"}:
            found.append(f"{source.place}:{node.lineno} {ast.unparse(node)}")
        waiting.extend(ast.iter_child_nodes(node))
    return found


def text_in_the_locales_encoding(source: Source) -> list[str]:
    """List where text is read or written in whatever encoding the machine's locale happens to name."""
    found = []
    for call in (node for node in ast.walk(source.tree) if isinstance(node, ast.Call)):
        name = getattr(call.func, "attr", getattr(call.func, "id", ""))
        given = {keyword.arg for keyword in call.keywords}
        modes = {each.value for each in call.args if isinstance(each, ast.Constant)} & TEXT_MODES
        is_text = {
            "read_text": not call.args,
            "write_text": len(call.args) < 2,
            "open": bool(modes) or (isinstance(call.func, ast.Name) and len(call.args) == 1),
            "run": "text" in given,
            "Popen": "text" in given,
        }.get(name, False)
        if is_text and "encoding" not in given:
            found.append(f"{source.place}:{call.lineno} {ast.unparse(call)[:60]}")
    return found


def sleeps_outside_loops(source: Source) -> list[str]:
    """List the sleeps in the bodies of tests that are neither the pause of a poll nor a mere `sleep(0)`."""
    tests = [function for function in source.functions() if function.name.startswith("test_")]
    return [
        f"{source.place}:{call.lineno} {ast.unparse(call)}"
        for test in tests
        for call in _sleeps([*test.body])
        if ast.unparse(call) != "asyncio.sleep(0)"
    ]


def patches_by_path(source: Source) -> list[str]:
    """List the places that name what they replace by its path as text, which no tool follows when it moves."""
    calls = [node for node in ast.walk(source.tree) if isinstance(node, ast.Call) and node.args]
    return [
        f"{source.place}:{call.lineno} {ast.unparse(call.args[0])}"
        for call in calls
        if ast.unparse(call.func).rpartition(".")[2] in {"setattr", "delattr", "patch"}
        if isinstance(call.args[0], ast.Constant) and "." in str(call.args[0].value)
    ]


def _sleeps(waiting: list[ast.AST]) -> list[ast.Call]:
    found = []
    while waiting:
        node = waiting.pop()
        if isinstance(node, (ast.While, ast.For, ast.AsyncFor, ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"time.sleep", "asyncio.sleep", "anyio.sleep"}:
            found.append(node)
        waiting.extend(ast.iter_child_nodes(node))
    return found


def test_no_file_is_longer_than_one_can_keep_in_mind() -> None:
    code = [*sources.paths("*.py", *sources.PACKAGES, "tests"), *sources.paths("*.lua", "schema")]
    code += sources.paths("*.sql", "schema/migrations", "schema/queries")  # structure.sql is a dump: nobody writes it

    lines = {str(path.relative_to(sources.ROOT)): len(path.read_text().splitlines()) for path in code}

    assert long_files(lines) == []


def test_no_function_is_longer_than_a_screen() -> None:
    found = [line for source in sources.everything() for line in long_functions(source)]

    assert found == []


def test_few_functions_are_nearly_a_screen_long() -> None:
    lengths = [
        sources.length(function, source.code_lines()) for source in sources.product() for function in source.functions()
    ]

    assert ninety_ninth(lengths) <= FUNCTION_LINES_P99_MAX


def test_no_function_takes_more_than_five_parameters_by_position() -> None:
    found = [line for source in sources.product() for line in wide_functions(source)]

    assert found == []


def test_no_name_holds_a_word_that_says_nothing() -> None:
    found = [line for source in sources.everything() for line in empty_names(source)]

    assert found == []


def test_no_two_classes_have_one_name() -> None:
    found = doubled_names({source.place: public_classes(source) for source in sources.product()})

    assert found == []


def test_nothing_reads_the_environment_when_it_is_imported() -> None:
    found = [line for source in sources.product() for line in environment_reads_at_import(source)]

    assert found == []


def test_no_text_is_read_or_written_in_the_locales_encoding() -> None:
    found = [line for source in sources.product() for line in text_in_the_locales_encoding(source)]

    assert found == []


def test_no_test_waits_by_sleeping() -> None:
    found = [line for source in sources.everything() for line in sleeps_outside_loops(source)]

    assert found == []


def test_no_test_replaces_what_it_names_by_a_path() -> None:
    found = [line for source in sources.everything() for line in patches_by_path(source)]

    assert found == []


def sample(text: str) -> Source:
    return sources.parse(Path(sources.ROOT, "sample.py"), text)


def test_a_file_is_measured_by_all_its_lines() -> None:
    assert long_files({"a.py": FILE_LINES_MAX, "b.py": FILE_LINES_MAX + 1}) == ["b.py: 401 lines"]


def test_a_function_is_measured_without_docstring_comments_and_blank_lines() -> None:
    told = '    """Say much.\n\n    And more.\n    """\n\n    # why\n'

    shortest_too_long = sample("def f():\n" + told + "    x = 1\n" * FUNCTION_LINES_MAX)
    longest_allowed = sample("def f():\n" + told + "    x = 1\n" * (FUNCTION_LINES_MAX - 1))

    assert long_functions(shortest_too_long) == ["sample.py:1 f: 51 lines of code"]
    assert long_functions(longest_allowed) == []


def test_the_hundredth_function_may_be_longer_and_no_other() -> None:
    assert ninety_ninth([50, *[34] * 99]) == 34
    assert ninety_ninth([50, 50, *[34] * 98]) == 50


@pytest.mark.parametrize(
    ("signature", "found"),
    [
        ("def f(a, b, c, d, e): ...", []),
        ("def f(a, b, c, d, e, f): ...", ["sample.py:1 f: 6 parameters"]),
        ("def f(a, b, c, d, e, *, f, g): ...", []),
        ("class C:\n  def f(self, a, b, c, d, e): ...", []),
        ("class C:\n  @override\n  def f(self, a, b, c, d, e, f): ...", []),
    ],
)
def test_parameters_are_counted_by_position_and_not_where_a_base_class_sets_them(
    signature: str, found: list[str]
) -> None:
    assert wide_functions(sample(signature)) == found


@pytest.mark.parametrize(
    "text", ["class QueueManager: ...", "def f(error_handler): ...", "HTTPUtils = 1", "for misc in (): ..."]
)
def test_an_empty_word_is_found_in_any_kind_of_name(text: str) -> None:
    assert len(empty_names(sample(text))) == 1


def test_a_word_that_only_contains_an_empty_word_is_allowed() -> None:
    assert empty_names(sample("commonwealth = miscount = utilisation = 1")) == []


def test_a_class_name_is_found_in_two_files_unless_it_is_private() -> None:
    source = sources.parse(Path(sources.ROOT, "sample.py"), "class Found: ...\nclass _Row: ...\nclass Only: ...\n")

    found = doubled_names({"a.py": public_classes(source), "b.py": ["Found", "Other"]})

    assert found == ["Found: a.py, b.py"]


def test_a_read_of_the_environment_is_found_in_a_class_but_not_in_a_function() -> None:
    assert environment_reads_at_import(sample("class C:\n  x = os.environ['X']")) == ["sample.py:2 os.environ"]
    assert environment_reads_at_import(sample("def f():\n  return os.environ['X']")) == []


@pytest.mark.parametrize(
    "text",
    ["path.read_text()", "path.write_text(x)", "open(path)", "path.open('w')", "run(argv, text=True)"],
)
def test_text_without_an_encoding_is_found(text: str) -> None:
    assert len(text_in_the_locales_encoding(sample(text))) == 1
    with_encoding = f"{text[:-1]}{'' if text.endswith('()') else ', '}encoding='utf-8')"
    assert text_in_the_locales_encoding(sample(with_encoding)) == []


@pytest.mark.parametrize("text", ["open(path, 'rb')", "sealer.open(body)", "path.read_text('utf-8')", "run(argv)"])
def test_bytes_and_other_things_that_open_are_left_alone(text: str) -> None:
    assert text_in_the_locales_encoding(sample(text)) == []


def test_a_sleep_is_found_in_a_test_but_not_in_its_poll() -> None:
    assert sleeps_outside_loops(sample("def test_x():\n  time.sleep(1)")) == ["sample.py:2 time.sleep(1)"]
    assert sleeps_outside_loops(sample("async def test_x():\n  while True:\n    await asyncio.sleep(1)")) == []


def test_a_replacement_is_found_when_it_is_named_by_a_path() -> None:
    assert patches_by_path(sample("monkeypatch.setattr('a.b.c', 1)")) == ["sample.py:1 'a.b.c'"]
    assert patches_by_path(sample("patch('a.b')")) == ["sample.py:1 'a.b'"]
    assert patches_by_path(sample("monkeypatch.setattr(b, 'c', 1)")) == []
