"""yoyo's Python: ``step("sql", "rollback sql")``, each a string or a function of a connection.

Where all of it is strings, it is read as SQL; else its steps run in a process of their own, where
the module ``yoyo`` is ours.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue.facts import sql_facts
from pytest_bbmigrate.catalogue.model import Call, Migration, PythonPart, SqlPart
from pytest_bbmigrate.catalogue.python.contract import python_contract
from pytest_bbmigrate.catalogue.python.facts import python_facts
from pytest_bbmigrate.catalogue.python.source import is_text, names_assigned
from pytest_bbmigrate.catalogue.sql_text import Section, read_sections
from pytest_bbmigrate.catalogue.text import fault

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_bbmigrate.catalogue.files import FolderEntry
    from pytest_bbmigrate.sql import Statement

STEP = ("step", "yoyo.step")
PARTS = ("apply", "rollback")


def claims(entry: FolderEntry) -> bool:
    """Return whether ``entry`` imports yoyo's steps."""
    if "yoyo.step" in entry.imports:
        return True
    return "yoyo" in entry.imports and bool(_steps(entry.source.tree))


def read(entry: FolderEntry) -> Migration:
    """Return the migration. Raises: CatalogueError."""
    source = entry.source
    steps = _steps(source.tree)
    if not steps:
        raise fault(
            entry.path, "it imports yoyo's step, and has no step(..)", 'write step("sql", "sql")'
        )
    contract = python_contract(source)
    in_transaction = not contract.no_transaction
    up: SqlPart | PythonPart
    down: SqlPart | PythonPart | None
    if _is_sql(source.tree, steps):
        forward = _statements(entry, steps, 0)
        back = _statements(entry, steps[::-1], 1)
        facts = sql_facts(forward, back)
        up = SqlPart(entry.path, forward, in_transaction)
        down = SqlPart(entry.path, back, in_transaction) if back else None
    else:
        facts = python_facts(source.tree, None)
        line, texts = steps[0].lineno, entry.sources.texts
        up = PythonPart(entry.path, "steps", line, in_transaction, texts, Call.STEPS)
        down = None
        if any(_may_go_back(step) for step in steps):
            down = PythonPart(entry.path, "steps", line, in_transaction, texts, Call.ROLLBACKS)
    return Migration(
        name=entry.name,
        path=entry.path,
        number=entry.number,
        up=up,
        down=down,
        contract=contract,
        **facts.by_field(),
    )


def _steps(tree: ast.Module) -> tuple[ast.Call, ...]:
    """Return the calls of ``step`` in a file, in the order of its text."""
    calls = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in STEP
    ]
    return tuple(sorted(calls, key=lambda call: (call.lineno, call.col_offset)))


def _is_sql(tree: ast.Module, steps: Sequence[ast.Call]) -> bool:
    """Return whether nothing but imports and steps of plain strings is in a file."""
    at_top = [call for node in tree.body for call in _calls_of(node)]
    return (
        all(_is_plain(node) for node in tree.body)
        and len(at_top) == len(steps)
        and all(_is_constant(step) for step in steps)
    )


def _is_plain(node: ast.stmt) -> bool:
    """Return whether a statement does nothing, or makes steps alone."""
    if isinstance(node, ast.Import | ast.ImportFrom) or is_text(node) or _calls_of(node):
        return True
    names = names_assigned(node)
    return bool(names) and all(name.startswith("__") for name in names)


def _calls_of(node: ast.stmt) -> list[ast.Call]:
    """Return the steps of ``step(..)``, ``steps = step(..)`` or ``steps = [step(..), ..]``."""
    value = node.value if isinstance(node, ast.Expr | ast.Assign | ast.AnnAssign) else None
    made = value.elts if isinstance(value, ast.List | ast.Tuple) else [value]
    calls = [each for each in made if isinstance(each, ast.Call) and ast.unparse(each.func) in STEP]
    return calls if len(calls) == len(made) else []


def _is_constant(step: ast.Call) -> bool:
    """Return whether a step is given one or two strings, and nothing else."""
    given = [*step.args, *(keyword.value for keyword in step.keywords)]
    named = {keyword.arg for keyword in step.keywords}
    return (
        len(step.args) <= len(PARTS)
        and named <= {*PARTS}
        and all(
            isinstance(value, ast.Constant) and isinstance(value.value, str | None)
            for value in given
        )
    )


def _may_go_back(step: ast.Call) -> bool:
    """Return whether a step has a way back, or what it is given cannot be told."""
    hidden = any(isinstance(each, ast.Starred) for each in step.args)
    return hidden or None in {each.arg for each in step.keywords} or bool(_argument(step, 1))


def _argument(step: ast.Call, place: int) -> ast.expr | None:
    """Return what a step does (0), or how it is undone (1); None for nothing."""
    named = (keyword.value for keyword in step.keywords if keyword.arg == PARTS[place])
    value = step.args[place] if len(step.args) > place else next(named, None)
    return None if isinstance(value, ast.Constant) and not value.value else value


def _statements(entry: FolderEntry, steps: Iterable[ast.Call], place: int) -> tuple[Statement, ...]:
    """Return the statements of the first or second string of each step. Raises: CatalogueError."""
    values = (_argument(step, place) for step in steps)
    sections = [
        Section(entry.path, str(value.value), value.lineno)
        for value in values
        if isinstance(value, ast.Constant)
    ]
    return tuple(
        statement for section in read_sections(*sections) for statement in section.statements
    )
