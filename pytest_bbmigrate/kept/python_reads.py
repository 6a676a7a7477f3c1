"""Whether a Python migration can have read anything but the database and its own files.

Only what is known to reach nothing else is let through: an import, a name or an attribute that may
lead to files, processes, the environment or chance is named, and nothing that rests on it is kept.
"""

from __future__ import annotations

import ast
import importlib.metadata
import os
import sys
import sysconfig
from functools import cache
from importlib.machinery import PathFinder
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue.python.imported import imported_names
from pytest_bbmigrate.catalogue.python.syntax import parse

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping

# Of the standard library, and what migrations are written with. These open nothing by themselves.
SELF_CONTAINED = frozenset(
    [
        "__future__",
        "abc",
        "base64",
        "binascii",
        "bisect",
        "calendar",
        "collections",
        "contextlib",
        "copy",
        "csv",
        "dataclasses",
        "datetime",
        "decimal",
        "difflib",
        "enum",
        "fractions",
        "functools",
        "hashlib",
        "heapq",
        "html",
        "itertools",
        "json",
        "logging",
        "math",
        "numbers",
        "re",
        "sqlite3",
        "sqlite_utils",
        "statistics",
        "string",
        "struct",
        "textwrap",
        "time",
        "typing",
        "unicodedata",
        "warnings",
        "yoyo",
        "zlib",
    ]
)
# By which these, or what is built in, reach files, other databases and modules, or an address.
REACHING = frozenset(
    [
        "Database",
        "Path",
        "__import__",
        "attach",
        "attrgetter",
        "breakpoint",
        "compile",
        "connect",
        "delattr",
        "enable_load_extension",
        "eval",
        "exec",
        "file_digest",
        "getattr",
        "globals",
        "hash",
        "id",
        "import_module",
        "input",
        "load_extension",
        "locals",
        "methodcaller",
        "open",
        "setattr",
        "stdin",
        "vars",
    ]
)
SQLITE_UTILS = "sqlite_utils"
STAND_INS = frozenset({"yoyo"})  # the runner has one of its own
NAMED = "Database"
ANNOTATIONS = ("annotation", "returns")
PLAIN = frozenset(
    ["__name__", "__doc__", "__init__", "__all__", "__enter__", "__exit__", "__post_init__"]
)


def texts_used(path: Path, texts: Mapping[str, bytes], folder: Path) -> dict[str, bytes]:
    """Return those of ``texts`` that a Python file in ``folder`` runs: its own, and its modules'.

    Of a module there are the packages that it is in as well. What imports none of these has none.
    """
    real = Path(os.path.realpath(folder))
    used: dict[str, bytes] = {}
    waiting = [Path(os.path.realpath(path))]
    while waiting:
        each = str(waiting.pop())
        if each in used or each not in texts:
            continue
        used[each] = texts[each]
        within = ".".join(parts_within(each, real)[:-1])
        for name in imported_names(texts[each], within):
            parts = name.split(".")
            for end in range(1, len(parts) + 1):
                module = real.joinpath(*parts[:end])
                waiting += (module.with_name(f"{module.name}.py"), module / "__init__.py")
    return used


def parts_within(path: str, real: Path) -> tuple[str, ...]:
    """Return the parts of ``path`` within the folder ``real``; a link may lead out of it."""
    whole = Path(path)
    return whole.relative_to(real).parts if whole.is_relative_to(real) else (whole.name,)


def what_they_reach(texts: Mapping[str, bytes], folder: Path) -> str:
    """Return what Python files in ``folder`` import or name that reaches beyond them, or ''."""
    real = Path(os.path.realpath(folder))
    own = {parts_within(path, real)[0].removesuffix(".py") for path in texts}
    for content in texts.values():
        if reached := what_it_reaches(content, own):
            return reached
    return ""


def what_it_reaches(content: bytes, own: Container[str]) -> str:
    """Return what a Python file imports or names that reaches beyond it, '' for nothing.

    ``own`` are the modules beside it, which are looked at as well.
    """
    try:
        tree = parse(content)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return "what cannot be read here"
    for node in nodes_that_run(tree):
        for name in modules_of(node):
            if name not in own and not (name in SELF_CONTAINED and is_itself(name)):
                return f"the module {name}"
        for name in names_of(node):
            if name in REACHING or (name.startswith("__") and name not in PLAIN):
                return name
    return ""


@cache
def is_itself(name: str) -> bool:
    """Return whether a module is the standard library's, or the installed one whose version counts.

    A project may have one of the same name that comes first.
    """
    if name in sys.builtin_module_names or name in STAND_INS:
        return True
    spec = PathFinder.find_spec(name, sys.path)
    if spec is None or spec.origin is None:
        return False
    origin = os.path.realpath(spec.origin)
    if name == SQLITE_UTILS:
        file = importlib.metadata.distribution(name).locate_file(f"{name}/__init__.py")
        return origin == os.path.realpath(str(file))
    library = os.path.realpath(sysconfig.get_path("stdlib"))
    path = Path(origin)
    installed = {"site-packages", "dist-packages"} & set(path.parts)
    return path.is_relative_to(library) and not installed


def modules_of(node: ast.AST) -> Iterator[str]:
    """Yield the first names of the modules that a statement imports."""
    if isinstance(node, ast.Import):
        yield from (alias.name.partition(".")[0] for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and not node.level:
        yield (node.module or "").partition(".")[0]


def names_of(node: ast.AST) -> Iterator[str]:
    """Yield the name that a node reads or binds, or the attribute that it asks for."""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        yield node.id
    elif isinstance(node, ast.Attribute):
        yield node.attr
    elif isinstance(node, ast.ImportFrom):
        # Where it is used is seen under that name; for an annotation everybody imports it.
        yield from (alias.name for alias in node.names if alias.name != NAMED or alias.asname)


def nodes_that_run(tree: ast.Module) -> Iterator[ast.AST]:
    """Yield all nodes of ``tree`` but those of annotations."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        for name, value in ast.iter_fields(node):
            if name not in ANNOTATIONS:
                each = value if isinstance(value, list) else [value]
                waiting += (child for child in each if isinstance(child, ast.AST))
