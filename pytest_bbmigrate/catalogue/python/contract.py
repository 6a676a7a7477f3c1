"""What a Python migration declares: ``# bb:`` comments, ``__depends__``, ``__transactional__``."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue.declarations import (
    CommentLine,
    line_problems,
    misplaced,
    read_declarations,
)
from pytest_bbmigrate.catalogue.text import fault
from pytest_bbmigrate.contract import is_directive
from pytest_bbmigrate.errors import CatalogueError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_bbmigrate.catalogue.python.source import Function, PythonSource
    from pytest_bbmigrate.contract import Contract

DEPENDS = "__depends__"
TRANSACTIONAL = "__transactional__"


def python_contract(source: PythonSource, parts: Sequence[Function] = ()) -> Contract:
    """Return the contract of a Python migration whose up and down functions are ``parts``.

    Raises: CatalogueError with every directive that is not understood or stands after a statement.
    """
    allowed = [line for line, _ in source.comments if source.may_declare(line, parts)]
    remarks = tuple(
        CommentLine(source.path, line, text) for line, text in source.comments if line in allowed
    )
    problems = [
        misplaced(source.path, line)
        for line, text in source.comments
        if line not in allowed and is_directive(text)
    ]
    problems += line_problems(remarks)
    if problems:
        raise CatalogueError(problems)
    contract = read_declarations(remarks)
    return replace(
        contract,
        depends=(*contract.depends, *_depends(source)),
        no_transaction=contract.no_transaction or not _transactional(source),
    )


def _depends(source: PythonSource) -> tuple[str, ...]:
    """Return the names that ``__depends__`` holds."""
    value = source.assigned(DEPENDS)
    if value is None or (isinstance(value, ast.Dict) and not value.keys):  # as yoyo writes it
        return ()
    items = value.elts if isinstance(value, ast.Set | ast.List | ast.Tuple) else [value]
    names = [
        item.value
        for item in items
        if isinstance(item, ast.Constant) and isinstance(item.value, str)
    ]
    if len(names) < len(items):
        raise fault(
            source.path,
            f"what {DEPENDS} holds cannot be told without running the file",
            f'write {DEPENDS} = {{"NAME", "NAME"}}',
            value.lineno,
        )
    return tuple(names)


def _transactional(source: PythonSource) -> bool:
    """Return what yoyo's ``__transactional__`` says."""
    value = source.assigned(TRANSACTIONAL)
    if value is None:
        return True
    if not isinstance(value, ast.Constant) or not isinstance(value.value, bool):
        raise fault(
            source.path,
            f"what {TRANSACTIONAL} holds cannot be told without running the file",
            f"write {TRANSACTIONAL} = False",
            value.lineno,
        )
    return value.value
