"""Run a migration script in this child process, confined to its folder."""

from __future__ import annotations

import ast
import builtins
import importlib
import inspect
import json
import os
import sys
import traceback
from base64 import b64decode
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from pytest_bbmigrate.processes.launch import PACKAGES
from pytest_bbmigrate.processes.parent import end_with_parent
from pytest_bbmigrate.runner.fixed_imports import FixedFinder
from pytest_bbmigrate.runner.tracebacks import describe, line_in, statement_of
from pytest_bbmigrate.sandbox import connections, files, landlock
from pytest_bbmigrate.sandbox.paths import SandboxPaths
from pytest_bbmigrate.sandbox.script_report import ScriptReport

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator, Mapping


PACKAGE_PREFIX = f"{PACKAGES}{os.sep}"


def main(text: str) -> int:
    """Run the script that the JSON object ``text`` describes and return the exit code."""
    order = json.loads(text)
    end_with_parent(order["parent"])
    script = order["script"]
    paths = SandboxPaths(*(Path(order[name]) for name in SandboxPaths.__dataclass_fields__))
    script_report = ScriptReport()
    texts = read_texts(Path(order["texts"]))
    folders = [order["root"], str(Path(script).parent)]
    finder = FixedFinder(texts, order["since"], folders)
    sys.meta_path.insert(0, finder)
    sys.argv = [script]
    sys.path[:] = [str(Path(script).parent), *sys.path, order["root"]]
    prepare = load_hook(order["connection_hook"])
    confined = order["landlock"] and landlock.restrict_writes([str(paths.work.parent)])
    files.refuse_outside_writes(paths, programs=confined)
    files.show_copy(paths)
    connections.guard_connections(
        connections.ConnectionRules(paths, script_report, script, prepare)
    )
    code = run(script, texts, script_report)
    connections.note_unsaved()
    script_report.refused[:0] = (
        f"{path} was changed after the session had begun" for path in finder.young
    )
    script_report.write(Path(order["ledger"]))
    return code


def load_hook(name: str | None) -> Callable[[sqlite3.Connection], object] | None:
    """Return the function called ``package.module:function``; None when none is wanted."""
    if name is None:
        return None
    module, _, function = name.partition(":")
    hook: Callable[[sqlite3.Connection], object] = getattr(
        importlib.import_module(module), function
    )
    return hook


def read_texts(path: Path) -> dict[str, bytes]:
    """Return the texts of the script and its modules as the catalogue read them, by real path."""
    texts = json.loads(path.read_text(encoding="utf-8"))
    return {file: b64decode(content) for file, content in texts.items()}


def run(script: str, texts: Mapping[str, bytes], script_report: ScriptReport) -> int:
    """Run ``script``, print a traceback as Python would, and return the exit code."""
    try:
        execute_script(script, texts)
    except BaseException as error:  # noqa: BLE001 - whatever ends the script is reported
        if isinstance(error, SystemExit) and not error.code:
            return 0
        script_report.error = describe(error)
        script_report.line = line_in(script, error)
        script_report.statement = statement_of(error)
        print_error(error)
        return 1
    return 0


def execute_script(script: str, texts: Mapping[str, bytes]) -> None:
    """Run ``script`` as a program, and call ``migrate()`` if it only defines that."""
    text = texts.get(os.path.realpath(script))
    source = Path(script).read_bytes() if text is None else text
    bare = is_bare_migrate(source, script)
    module = ModuleType("migration" if bare else "__main__")
    vars(module).update(__file__=script, __builtins__=builtins, __cached__=None, __package__="")
    sys.modules[module.__name__] = module
    exec(compile(source, script, "exec", dont_inherit=True), vars(module))  # noqa: S102
    if not bare:
        return
    result = vars(module)["migrate"]()
    if inspect.iscoroutine(result):
        result.close()
        raise TypeError("migrate() is a coroutine function, and nobody runs what it returns")


def is_bare_migrate(source: bytes, script: str) -> bool:
    """Return whether a program defines ``migrate()`` and does not call it.

    A call would be in a ``__main__`` block, or in a statement outside any function.
    """
    body = ast.parse(source, script).body
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    defined = any(isinstance(node, functions) and node.name == "migrate" for node in body)
    tests = (ast.dump(node.test) for node in body if isinstance(node, ast.If))
    called = any(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "migrate"
        for statement in body
        if not isinstance(statement, (*functions, ast.ClassDef))
        for node in ast.walk(statement)
    )
    return defined and not called and not any("__main__" in test for test in tests)


def print_error(error: BaseException) -> None:
    """Print ``error`` to standard error as Python does, without the frames of this package."""
    if isinstance(error, SystemExit):
        if not isinstance(error.code, int):
            sys.stderr.write(f"{error.code}\n")
        return
    report = traceback.TracebackException.from_exception(error)
    for each in causes_of(report):
        own = [frame for frame in each.stack if not lies_in_package(frame.filename)]
        each.stack = traceback.StackSummary.from_list(own)
    sys.stderr.writelines(report.format())


def causes_of(
    report: traceback.TracebackException | None,
) -> Iterator[traceback.TracebackException]:
    """Yield ``report`` on an exception, and those on the exceptions that led to it."""
    if report is not None:
        yield report
        yield from causes_of(report.__cause__)
        yield from causes_of(report.__context__)


def lies_in_package(file: str) -> bool:
    """Return whether ``file`` is ours."""
    return file.startswith(PACKAGE_PREFIX)
