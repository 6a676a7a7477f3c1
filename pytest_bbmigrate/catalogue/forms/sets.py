"""A set of sqlite-utils migrations: one per function, in the order they are registered."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue.declarations import outside_its_function
from pytest_bbmigrate.catalogue.forms.managed import problems_of
from pytest_bbmigrate.catalogue.model import Migration, PythonPart
from pytest_bbmigrate.catalogue.python.contract import python_contract
from pytest_bbmigrate.catalogue.python.facts import python_facts
from pytest_bbmigrate.catalogue.python.source import Function, names_assigned
from pytest_bbmigrate.catalogue.text import fault
from pytest_bbmigrate.contract import is_directive
from pytest_bbmigrate.errors import CatalogueError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pytest_bbmigrate.catalogue.files import FolderEntry
    from pytest_bbmigrate.catalogue.python.source import PythonSource

SETS = frozenset({"sqlite_utils.Migrations", "sqlite_migrate.Migrations"})


def claims(entry: FolderEntry) -> bool:
    """Return whether ``entry`` imports what such a set is made of."""
    return not entry.imports.isdisjoint(SETS)


def read(entry: FolderEntry) -> tuple[Migration, ...]:
    """Return the migrations of the set, or of all sets in the file. Raises: CatalogueError."""
    source = entry.source
    names = _set_names(source.tree)
    functions = [node for node in source.tree.body if isinstance(node, Function)]
    registered = [
        (function, decorator)
        for function in functions
        for decorator in function.decorator_list
        if _is_registration(decorator, names)
    ]
    if len(registered) != sum(_is_registration(node, names) for node in ast.walk(source.tree)):
        raise fault(
            entry.path,
            "which migrations this set has cannot be told without running the file",
            "write each as a function at the top of the file, below @NAME()",
        )
    if not registered:
        raise fault(
            entry.path,
            "it imports Migrations of sqlite-utils, and there is no migration in it",
            "write a function below @NAME(), where NAME = Migrations(..)",
        )
    problems = [
        outside_its_function(entry.path, line)
        for line, text in source.comments
        if is_directive(text) and not any(_holds(function, line) for function, _ in registered)
    ]
    migrations: list[Migration] = []
    for place, (function, decorator) in enumerate(registered, 1):
        try:
            migrations.append(_migration(entry, function, decorator, place))
        except CatalogueError as error:
            problems.extend(error.problems)
    if problems:
        raise CatalogueError(problems)
    return tuple(migrations)


def _migration(
    entry: FolderEntry, function: Function, decorator: ast.expr, place: int
) -> Migration:
    source = _alone(entry.source, function)
    if problems := [*problems_of(source, function), *_problems(source, decorator)]:
        raise CatalogueError(problems)
    options = _options(decorator)
    contract = python_contract(source, (function,))
    in_transaction = bool(options.get("transactional", True)) and not contract.no_transaction
    facts = python_facts(source.tree, None)
    texts = entry.sources.texts
    return Migration(
        name=str(options.get("name") or function.name),
        path=entry.path,
        number=(*(entry.number or ()), place),
        up=PythonPart(entry.path, function.name, function.lineno, in_transaction, texts),
        down=None,
        contract=contract,
        function=function.name,
        **facts.by_field(),
    )


def _set_names(tree: ast.Module) -> frozenset[str]:
    """Return the variables that hold a set."""
    made = (
        node
        for node in tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        and isinstance(node.value, ast.Call)
        and ast.unparse(node.value.func).rpartition(".")[2] == "Migrations"
    )
    names = frozenset().union(*map(names_assigned, made))
    for node in tree.body:  # other names for the same
        if isinstance(node, ast.Assign) and ast.unparse(node.value) in names:
            names |= names_assigned(node)
    return names


def _is_registration(node: ast.AST, names: Iterable[str]) -> bool:
    """Return whether ``node`` is ``NAME(..)``, which registers the function that it is given."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names


def _options(decorator: ast.expr) -> dict[str | None, object]:
    """Return the constants that a registration is given, by their names."""
    keywords = decorator.keywords if isinstance(decorator, ast.Call) else []
    return {each.arg: each.value.value for each in keywords if isinstance(each.value, ast.Constant)}


def _problems(source: PythonSource, decorator: ast.expr) -> Iterator[Problem]:
    keywords = decorator.keywords if isinstance(decorator, ast.Call) else []
    if len(_options(decorator)) != len(keywords):
        yield Problem(
            source.path,
            decorator.lineno,
            "what this migration is called cannot be told without running the file",
            'write @NAME(name="..", transactional=False) with values as they are',
        )


def _alone(source: PythonSource, function: Function) -> PythonSource:
    """Return the source as if ``function`` were all that is in it."""
    comments = tuple(each for each in source.comments if _holds(function, each[0]))
    return replace(source, tree=ast.Module([function], []), comments=comments)


def _holds(function: Function, line: int) -> bool:
    return function.lineno <= line <= (function.end_lineno or function.lineno)
