"""Read the project's own files: where they are, and what counts as a line, a parameter or a name in them."""

from __future__ import annotations

import ast
import gc
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
PACKAGES: Final = ("schema", "runtime", "producer", "worker", "ops")

Function = ast.FunctionDef | ast.AsyncFunctionDef

_NOT_CODE: Final = frozenset(
    {
        tokenize.COMMENT,
        tokenize.NL,
        tokenize.NEWLINE,
        tokenize.INDENT,
        tokenize.DEDENT,
        tokenize.ENCODING,
        tokenize.ENDMARKER,
    }
)
_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


@dataclass(frozen=True)
class Source:
    """One Python file, parsed."""

    path: Path
    text: str
    tree: ast.Module

    @property
    def place(self) -> str:
        """Name the file as seen from the root."""
        return self.path.relative_to(ROOT).as_posix()

    def functions(self) -> Iterator[Function]:
        """Walk over every function and method, nested ones too."""
        return (node for node in ast.walk(self.tree) if isinstance(node, Function))

    @cache  # noqa: B019 - sources live as long as the run
    def code_lines(self) -> frozenset[int]:
        """Give the numbers of the lines that hold code: not blank, not only a comment."""
        tokens = tokenize.generate_tokens(io.StringIO(self.text).readline)
        return frozenset(
            line for token in tokens if token.type not in _NOT_CODE for line in range(token.start[0], token.end[0] + 1)
        )


def parse(path: Path, text: str | None = None) -> Source:
    """Parse one file, or `text` as if it stood there."""
    text = path.read_text(encoding="utf-8") if text is None else text
    gc.disable()  # CPython 3.11 loses count of its own stack when a finaliser that parses runs while it builds a tree
    try:
        tree = ast.parse(text, filename=str(path))
    finally:
        gc.enable()
    return Source(path=path, text=text, tree=tree)


def paths(pattern: str, *folders: str) -> list[Path]:
    """List the files under `folders` that match `pattern`, in a steady order."""
    return sorted(path for folder in folders for path in (ROOT / folder).rglob(pattern))


@cache
def product() -> tuple[Source, ...]:
    """Parse every file of the product, without the tests; once in a run."""
    return tuple(parse(path) for path in paths("*.py", *PACKAGES))


@cache
def everything() -> tuple[Source, ...]:
    """Parse every file of the product and of its tests; once in a run."""
    return (*product(), *(parse(path) for path in paths("*.py", "tests")))


def length(function: Function, code_lines: frozenset[int]) -> int:
    """Count a function's lines of code, from `def` to its end, without its docstring."""
    lines = set(range(function.lineno, (function.end_lineno or function.lineno) + 1))
    first = function.body[0]
    if ast.get_docstring(function, clean=False) is not None:
        lines -= set(range(first.lineno, (first.end_lineno or first.lineno) + 1))
    return len(lines & code_lines)


def positional_parameters(function: Function) -> list[str]:
    """List what a caller may pass by position, without self and cls."""
    names = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
    return names[1:] if names[:1] in (["self"], ["cls"]) else names


def is_override(function: Function) -> bool:
    """Tell whether the signature belongs to a base class of somebody else's (`@override`)."""
    return any(ast.unparse(decorator).split(".")[-1] == "override" for decorator in function.decorator_list)


def defined_names(source: Source) -> Iterator[tuple[int, str]]:
    """Walk over every name that the file gives: classes, functions, parameters, variables, and the file itself."""
    yield 1, source.path.stem
    for node in ast.walk(source.tree):
        if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.lineno, node.name
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id


def words(name: str) -> set[str]:
    """Split a name in snake_case or CamelCase into its words, in lower case."""
    return {word.lower() for word in _WORD.findall(name)}
