"""Whether a function of a Python migration takes a plain connection or a sqlite_utils.Database."""

from __future__ import annotations

import ast
import sqlite3
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_bbmigrate.catalogue.python.source import Function

CONNECTION_NAMES = frozenset({"connection", "conn", "con", "cnx", "cx"})
# What a Database has and a connection has not, as far as it tells them apart.
DATABASE_ONLY = frozenset(
    {"conn", "query", "table", "tables", "view", "views", "create_table", "table_names", "schema"}
)
BOTH = frozenset({"execute", "executescript", "commit", "rollback", "close", "__getitem__"})


def takes_connection(function: Function) -> bool:
    """Return whether ``function`` uses its first parameter as a plain sqlite3 connection.

    What it does with it tells, then what it says of its type, then its name.
    """
    arguments = [*function.args.posonlyargs, *function.args.args]
    if not arguments:
        return False
    parameter = arguments[0]
    used = _attributes_of(parameter.arg, function)
    if used & DATABASE_ONLY or _is_subscripted(parameter.arg, function):
        return False
    if used & _connection_only():
        return True
    if parameter.annotation is not None:
        said = ast.unparse(parameter.annotation).strip("'\"").rpartition(".")[2]
        if said in ("Connection", "Database"):
            return said == "Connection"
    return parameter.arg in CONNECTION_NAMES


@cache
def _connection_only() -> frozenset[str]:
    """Return the attributes of a connection that a Database has not."""
    return frozenset(dir(sqlite3.Connection)) - DATABASE_ONLY - BOTH - frozenset(dir(object))


def _attributes_of(name: str, function: Function) -> set[str]:
    """Return the attributes of the variable ``name`` that ``function`` uses."""
    return {
        node.attr
        for node in ast.walk(function)
        if isinstance(node, ast.Attribute) and _is_name(node.value, name)
    }


def _is_subscripted(name: str, function: Function) -> bool:
    return any(
        isinstance(node, ast.Subscript) and _is_name(node.value, name)
        for node in ast.walk(function)
    )


def _is_name(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name
