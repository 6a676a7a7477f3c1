"""A Python file as its syntax tree and its comments; it is read, never imported."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue.python.syntax import parse_with_comments
from pytest_bbmigrate.catalogue.text import fault

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pytest_bbmigrate.processes.app_python import AppPython

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class PythonSource:
    """A Python file: its tree, and its comments as (line, text without marks)."""

    path: Path
    tree: ast.Module
    comments: tuple[tuple[int, str], ...]

    def functions(self, *names: str) -> tuple[Function, ...]:
        """Return the functions at the top of the file that have one of ``names``."""
        return tuple(
            node for node in self.tree.body if isinstance(node, Function) and node.name in names
        )

    @property
    def has_main_block(self) -> bool:
        """Whether there is an ``if __name__ == "__main__":`` at the top of the file."""
        return any(
            isinstance(node, ast.If) and _asks_for_main(node.test) for node in self.tree.body
        )

    def assigned(self, name: str) -> ast.expr | None:
        """Return what is assigned to ``name`` at the top of the file, or None."""
        for node in self.tree.body:
            if name in names_assigned(node) and isinstance(node, ast.Assign | ast.AnnAssign):
                return node.value
        return None

    def may_declare(self, line: int, parts: Iterable[Function]) -> bool:
        """Return whether a comment on ``line`` stands before the first statement.

        Of the file (docstring, imports and dunder assignments do not count) or of one of ``parts``.
        """
        if line < _first_line(self.tree.body, default=line + 1):
            return True
        return any(
            part.lineno <= line < _first_line(part.body, default=part.end_lineno or part.lineno)
            for part in parts
        )


def read_python(path: Path, text: str, python: AppPython | None = None) -> PythonSource:
    """Return the parsed file; ``python`` is the app's, which may know more syntax than this one.

    Raises: CatalogueError when it is no Python.
    """
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise fault(path, "a NUL character", "save the file as plain UTF-8 text", line)
    try:
        tree, comments = parse_with_comments(text, python)
    except SyntaxError as error:
        reader = "Python" if python is None else f"Python {python.version} (bb_python)"
        raise fault(
            path, f"{reader} cannot read it ({error.msg})", "correct the syntax", error.lineno
        ) from error
    except (RecursionError, MemoryError) as error:
        raise fault(path, "it is nested too deeply for Python", "write it flatter") from error
    return PythonSource(path, tree, comments)


def names_assigned(node: ast.stmt) -> frozenset[str]:
    """Return the names that a statement assigns to."""
    if isinstance(node, ast.Assign):
        targets = node.targets
    elif isinstance(node, ast.AnnAssign):
        targets = [node.target]
    else:
        targets = []
    return frozenset(target.id for target in targets if isinstance(target, ast.Name))


def without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    """Return a body's statements without its docstring."""
    return body[1:] if body and is_text(body[0]) else body


def is_text(node: ast.stmt) -> bool:
    """Return whether a statement is nothing but a string."""
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _first_line(body: list[ast.stmt], *, default: int) -> int:
    """Return the line on which the first statement that does something begins."""
    for node in without_docstring(body):
        if not _is_preliminary(node):
            decorators: list[ast.expr] = getattr(node, "decorator_list", [])
            return min([node.lineno, *(decorator.lineno for decorator in decorators)])
    return default


def _is_preliminary(node: ast.stmt) -> bool:
    if isinstance(node, ast.If):  # if TYPE_CHECKING: import ..
        return not node.orelse and all(map(_is_preliminary, node.body))
    if isinstance(node, ast.Import | ast.ImportFrom):
        return True
    names = names_assigned(node)
    return bool(names) and all(name.startswith("__") for name in names)


def _asks_for_main(test: ast.expr) -> bool:
    """Return whether a condition is ``__name__ == "__main__"``, either way round."""
    if not isinstance(test, ast.Compare) or len(test.comparators) != 1:
        return False
    sides = {ast.unparse(test.left), ast.unparse(test.comparators[0])}
    return isinstance(test.ops[0], ast.Eq) and sides == {"__name__", "'__main__'"}
