"""Managed Python: ``up(db)`` or ``upgrade(db)``, and perhaps ``down(db)`` or ``downgrade(db)``.

A down function with nothing in it but ``pass`` is none.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue.model import Call, Migration, PythonPart
from pytest_bbmigrate.catalogue.python.contract import python_contract
from pytest_bbmigrate.catalogue.python.facts import python_facts
from pytest_bbmigrate.catalogue.python.parameter import takes_connection
from pytest_bbmigrate.catalogue.python.source import without_docstring
from pytest_bbmigrate.catalogue.text import fault
from pytest_bbmigrate.errors import CatalogueError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_bbmigrate.catalogue.files import FolderEntry
    from pytest_bbmigrate.catalogue.python.source import Function, PythonSource

UP = ("up", "upgrade")
DOWN = ("down", "downgrade")
UNWRITTEN = "add your downgrade step here"


def claims(entry: FolderEntry) -> bool:
    """Return whether ``entry`` has a function of one of the four names."""
    return entry.ending == ".py" and bool(entry.source.functions(*UP, *DOWN))


def read(entry: FolderEntry) -> Migration:
    """Return the migration. Raises: CatalogueError."""
    source = entry.source
    ups, downs = source.functions(*UP), source.functions(*DOWN)
    problems = [*_missing(source, ups, downs), *_repeated(source, ups), *_repeated(source, downs)]
    for function in (*ups, *downs):
        left_out = function in downs and _is_left_out(source, function)
        problems.extend(problems_of(source, function, may_be_empty=left_out))
    if problems:
        raise CatalogueError(problems)
    up = ups[0]
    down = next((function for function in downs if not _is_left_out(source, function)), None)
    contract = python_contract(source, (*ups, *downs))
    if contract.script:
        raise fault(
            entry.path,
            f"the line `bb: script` in a file that has {up.name}(db)",
            f"leave the line out, or give {up.name} another name",
        )
    in_transaction = not contract.no_transaction
    facts = python_facts(source.tree, down)

    def part(function: Function) -> PythonPart:
        texts = entry.sources.texts
        call = Call.CONNECTION if takes_connection(function) else Call.DATABASE
        return PythonPart(entry.path, function.name, function.lineno, in_transaction, texts, call)

    return Migration(
        name=entry.name,
        path=entry.path,
        number=entry.number,
        up=part(up),
        down=part(down) if down else None,
        contract=contract,
        **facts.by_field(),
    )


def _missing(
    source: PythonSource, ups: Sequence[Function], downs: Sequence[Function]
) -> Iterator[Problem]:
    if not ups:
        yield Problem(
            source.path,
            downs[0].lineno,
            f"a down part, {downs[0].name}(db), and no up part",
            "write def up(db): beside it",
        )


def _repeated(source: PythonSource, functions: Sequence[Function]) -> Iterator[Problem]:
    for function in functions[1:]:
        yield Problem(
            source.path,
            function.lineno,
            f"both {functions[0].name} and {function.name} for one part",
            "leave one of them",
        )


def problems_of(
    source: PythonSource, function: Function, *, may_be_empty: bool = False
) -> Iterator[Problem]:
    """Yield what is wrong with a function that is to be a part."""
    name, line = function.name, function.lineno
    if not _takes_one(function.args):
        yield Problem(
            source.path,
            line,
            f"{name} does not take the database, and nothing else, as its parameter",
            f"write def {name}(db):",
        )
    if not may_be_empty and _is_empty(source, function):
        yield Problem(
            source.path,
            line,
            f"the function {name} of this migration is still empty",
            "write what it does, or a comment that says why it does nothing",
        )


def _takes_one(arguments: ast.arguments) -> bool:
    """Return whether a function can be called with one positional argument."""
    positional = len(arguments.posonlyargs) + len(arguments.args)
    required = positional - len(arguments.defaults)
    takes_one = positional > 0 or arguments.vararg is not None
    return takes_one and required <= 1 and None not in arguments.kw_defaults


def _is_left_out(source: PythonSource, function: Function) -> bool:
    """Return whether a function is ``pass`` alone, or as caribou's template has it."""
    if not all(isinstance(node, ast.Pass) for node in function.body):
        return False
    last_line = function.end_lineno or function.lineno
    said = {text for line, text in source.comments if function.lineno <= line <= last_line}
    return said <= {UNWRITTEN}


def _is_empty(source: PythonSource, function: Function) -> bool:
    """Return whether a function has neither code nor a word that says why."""
    if without_docstring(function.body) != function.body:
        return False
    last_line = function.end_lineno or function.lineno
    if any(function.lineno <= line <= last_line for line, _ in source.comments):
        return False
    return all(
        isinstance(node, ast.Pass)
        or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
        for node in function.body
    )
