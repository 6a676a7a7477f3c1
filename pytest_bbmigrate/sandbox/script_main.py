"""Run a migration script in this child process, confined to its folder."""

from __future__ import annotations

import ast
import builtins
import importlib
import inspect
import os
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from pytest_bbmigrate.processes.launch import PACKAGES
from pytest_bbmigrate.runner.fixed_imports import FixedFinder
from pytest_bbmigrate.runner.tracebacks import describe, line_in, statement_of
from pytest_bbmigrate.sandbox import connections, files, landlock
from pytest_bbmigrate.sandbox.script_report import ScriptLog, read_order, write_report

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator, Mapping


PACKAGE_PREFIX = f"{PACKAGES}{os.sep}"


def main(file: str) -> int:
    """Run the script of the order in ``file`` and return the exit code."""
    order = read_order(file)
    script, paths, root = str(order.script), order.paths, str(order.paths.root)
    shared = landlock.shared_memory_without(str(paths.real), root)
    writable = [str(order.kept.folder), *shared]
    confined = order.kept.confined and landlock.restrict_writes(writable)
    script_log = ScriptLog()
    finder = FixedFinder(order.texts, order.since, [root, str(order.script.parent)])
    sys.meta_path.insert(0, finder)
    sys.argv = [script]
    sys.path[:] = [str(order.script.parent), *sys.path, root]
    prepare = load_hook(order.connection_hook)
    files.refuse_outside_writes(paths, programs=confined, shared=shared)
    files.show_copy(paths)
    connections.guard_connections(connections.ConnectionRules(paths, script_log, script, prepare))
    code = run(script, order.texts, script_log, explain=landlock.explain if confined else None)
    connections.note_unsaved()
    script_log.refused[:0] = (
        f"{path} was changed after the session had begun" for path in finder.young
    )
    write_report(order.report, script_log.report())
    return code


def load_hook(name: str) -> Callable[[sqlite3.Connection], object] | None:
    """Return the function called ``package.module:function``; None for ''."""
    if not name:
        return None
    module, _, function = name.partition(":")
    hook: Callable[[sqlite3.Connection], object] = getattr(
        importlib.import_module(module), function
    )
    return hook


def run(
    script: str,
    texts: Mapping[str, bytes],
    script_log: ScriptLog,
    *,
    explain: Callable[[BaseException], str] | None = None,
) -> int:
    """Run ``script``, print a traceback as Python would, and return the exit code.

    ``explain`` returns a note on what it has raised, '' for none.
    """
    try:
        execute_script(script, texts)
    except BaseException as error:  # noqa: BLE001 - whatever ends the script is reported
        if isinstance(error, SystemExit) and not error.code:
            return 0
        script_log.error = describe(error)
        script_log.line = line_in(script, error)
        script_log.statement = statement_of(error)
        script_log.note = explain(error) if explain else ""
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
