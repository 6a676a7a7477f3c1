"""What a migration's Python code says: its checksum, literals, and the objects it drops."""

from __future__ import annotations

import ast
import hashlib
import re
from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue.asked_values import expected_literals, taken_literals
from pytest_bbmigrate.catalogue.column_reads import ASKED_OF_ROWS, ColumnRead, column_reads
from pytest_bbmigrate.catalogue.facts import StatementFacts, explicit_drops
from pytest_bbmigrate.catalogue.joined_texts import joined_texts
from pytest_bbmigrate.catalogue.literals import (
    LARGEST_INTEGER,
    NAMES,
    assigned_literals,
    distinct,
    read_statement,
    sql_literals,
)
from pytest_bbmigrate.catalogue.python.contract import DEPENDS, TRANSACTIONAL
from pytest_bbmigrate.catalogue.python.source import names_assigned, without_docstring
from pytest_bbmigrate.catalogue.python.syntax import parse
from pytest_bbmigrate.catalogue.value_links import read_links
from pytest_bbmigrate.sql import UnreadableSql, split_statements
from pytest_bbmigrate.sql.names import fold_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_bbmigrate.catalogue.literals import Literal, ReadStatement
    from pytest_bbmigrate.catalogue.python.source import Function
    from pytest_bbmigrate.sql import Statement

# What takes a text apart that has a form: a day, JSON, a number.
READS_FORMS = frozenset({"fromisoformat", "strptime", "parse", "isoparse", "loads", "Decimal"})
LONGEST_VALUE = 60  # characters; longer strings are messages, not values
SQL = re.compile(
    r"(?:\s|--[^\n]*\n|/\*[^*]*\*+(?:[^*/][^*]*\*+)*/)*"
    r"(?:SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|DROP|WITH|REPLACE)\b",
    re.IGNORECASE,
)


def python_facts(tree: ast.Module, down: Function | None) -> StatementFacts:
    """Return the facts of a Python migration whose down function is ``down``."""
    up_code = ast.Module([node for node in tree.body if node is not down], [])
    values = list(_constants(up_code))
    texts = [value for value in values if isinstance(value, str) and SQL.match(value)]
    others = set(values) - set(texts)
    read = [statement for text in texts for statement in _statements(text)]
    links = read_links(read)
    return StatementFacts(
        code_checksum(tree),
        distinct(python_literals(tree)),
        frozenset(python_drops(tree, down)),
        expected_literals(read, links, others),
        assigned_literals(read),
        taken_literals(read, links, others),
        frozenset(
            {read for read in python_reads(tree) if read.kind not in ASKED_OF_ROWS}
            | {read for read in python_reads(up_code) if read.kind in ASKED_OF_ROWS}
        ),
        frozenset(joined for statement in read for joined in joined_texts(statement)),
    )


def statements_in(code: bytes, function: str, *left_out: str) -> tuple[str, ...]:
    """Return the SQL that stands as whole strings in a Python file, statement by statement.

    That is, of the ``function`` that a migration of several in a file is; with '' of everything but
    the functions ``left_out``.
    """
    try:
        tree = parse(code)
    except (SyntaxError, ValueError):  # newer than this Python
        return ()
    body = [
        node
        for node in tree.body
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        or (node.name == function if function else node.name not in left_out)
    ]
    texts = _constants(WholeTexts().visit(ast.Module(body, [])))
    return tuple(
        statement.text
        for text in texts
        if isinstance(text, str) and SQL.match(text)
        for statement in _split(text)
    )


class WholeTexts(ast.NodeTransformer):
    """Takes out the texts that are put together: their pieces are no statements."""

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.expr:
        """Return nothing instead of an f-string."""
        return ast.copy_location(ast.Constant(None), node)

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        """Return nothing instead of pieces with an operator between them."""
        return ast.copy_location(ast.Constant(None), node)


def _split(sql: str) -> tuple[Statement, ...]:
    try:
        return split_statements(sql)
    except UnreadableSql:  # a piece of an f-string, say
        return ()


def code_checksum(tree: ast.Module) -> str:
    """Return the SHA-256 of a file's code, in hexadecimal.

    Comments, docstrings, layout and the contract's own assignments do not matter. The tree is
    written out by hand because ast.dump leaves out other things in each Python version.
    """
    digest = hashlib.sha256()
    stack: list[object] = [tree]  # bytes are digested as they are, anything else is split up
    while stack:
        item = stack.pop()
        if isinstance(item, bytes):
            digest.update(item)
        elif isinstance(item, ast.Constant):
            digest.update(repr(item.value).encode("utf-8", "surrogatepass") + b";")
        elif isinstance(item, ast.AST):
            stack.extend(reversed(_serialised(item)))
        elif isinstance(item, list):
            stack.extend([b"]", *reversed(item), b"["])
        else:
            digest.update(repr(item).encode("utf-8", "surrogatepass") + b";")
    return digest.hexdigest()


def python_literals(tree: ast.Module) -> Iterator[Literal]:
    """Yield the values in a file's SQL with their columns, and its other short values without."""
    for value in _constants(tree):
        if isinstance(value, str) and SQL.match(value):
            for read in _statements(value):
                yield from sql_literals(read)
        elif not isinstance(value, str) or (len(value) <= LONGEST_VALUE and "\n" not in value):
            yield None, value


def python_reads(tree: ast.Module) -> Iterator[ColumnRead]:
    """Yield what a file's SQL reads in columns.

    Where its code takes texts apart, any name in a string may be that of the column they are from.
    """
    called = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    called |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    reads_forms = bool(called & READS_FORMS)
    for value in _constants(tree):
        if not isinstance(value, str):
            continue
        for read in _statements(value) if SQL.match(value) else ():
            yield from column_reads(read)
            if reads_forms:
                names = (token.name for token in read.tokens if token.kind in NAMES)
                yield from (ColumnRead("python", fold_name(name)) for name in names)
        if reads_forms and value.isidentifier():
            yield ColumnRead("python", fold_name(value))


def python_drops(tree: ast.Module, down: Function | None) -> Iterator[tuple[str, str]]:
    """Yield (kind, folded name) of the drops in a file's strings, but for its down function."""
    up_code = ast.Module([node for node in tree.body if node is not down], [])
    for value in _constants(up_code):
        if isinstance(value, str) and SQL.match(value):
            for read in _statements(value):
                yield from explicit_drops(read.command)


def _serialised(node: ast.AST) -> list[object]:
    """Return a node in parts to digest, without empty fields, which differ between versions."""
    parts: list[object] = [f"{type(node).__name__}(".encode()]
    for name, value in ast.iter_fields(node):
        content = (
            _without_declarations(value) if name == "body" and isinstance(value, list) else value
        )
        if content is not None and content != []:
            parts += [f"{name}=".encode(), content]
    return [*parts, b")"]


def _without_declarations(body: list[ast.stmt]) -> list[ast.stmt]:
    declarations = {DEPENDS, TRANSACTIONAL}
    return [node for node in without_docstring(body) if not names_assigned(node) & declarations]


def _constants(tree: ast.Module) -> Iterator[str | int | float]:
    """Yield the strings and numbers in code, in the order of the text, docstrings left out."""
    found: list[tuple[int, int, str | int | float]] = []  # line, column, value
    left_out: set[int] = set()
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body != without_docstring(body):
            left_out.add(id(body[0].value))
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            value = _value(node.operand)
            if value is not None and not isinstance(value, str):
                left_out.add(id(node.operand))
                found.append((node.lineno, node.col_offset, -value))
        elif isinstance(node, ast.Constant) and id(node) not in left_out:
            value = _value(node)
            if value is not None:
                found.append((node.lineno, node.col_offset, value))
    return (value for _, _, value in sorted(found, key=lambda constant: constant[:2]))


def _value(node: ast.expr) -> str | int | float | None:
    """Return the value of a constant that may be data and that SQLite can store, else None."""
    value = node.value if isinstance(node, ast.Constant) else None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    if isinstance(value, str) or abs(value) < LARGEST_INTEGER:
        return value
    return None


def _statements(sql: str) -> tuple[ReadStatement, ...]:
    """Return the statements in a string, none when it is but a piece of SQL (of an f-string, say).

    A piece that ends within a trigger is read as one statement.
    """
    try:
        return tuple(read_statement(statement.text) for statement in split_statements(sql))
    except UnreadableSql:
        pass
    try:
        return (read_statement(sql),)
    except UnreadableSql:
        return ()
