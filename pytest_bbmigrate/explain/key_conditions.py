"""What a key is made of, and the conditions under which two rows have one, as SQL."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytest_bbmigrate.contract.spelling import bare_or_quoted
from pytest_bbmigrate.sql import Kind
from pytest_bbmigrate.sql.cursor import fold_tokens, source_text
from pytest_bbmigrate.sql.names import fold_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_bbmigrate.schema import Table
    from pytest_bbmigrate.sql import Token
    from pytest_bbmigrate.sql.cursor import Tokens

FAILED = re.compile(r"UNIQUE constraint failed: (?P<columns>[^;]+)")
OF_SOME = "NOT coalesce"
OTHER = "o"  # what the other row is called
WIDENING = frozenset(
    {"or", "like", "in", "glob", "<", ">", "<>", "!="}
)  # more than one row meets it
LOOSER = WIDENING | {"and", "not", "is", "between", "=", "==", "<=", ">="}  # than an = or as loose

WITH_A_VALUE = (("is", "not", "null"), ("notnull",), ("not", "null"))  # behind a column


def required_of(name: str, condition: str, said: str) -> str:
    """Return that what is ``said`` holds for each row of table ``name`` that meets a ``condition``.

    For each row at all where there is none. ``is_of_some_rows_alone`` tells the two apart.
    """
    return f"{name}: {OF_SOME}({condition}, 0) OR {said}" if condition else f"{name}: {said}"


def is_of_some_rows_alone(line: str) -> bool:
    """Return whether a ``line`` that ``required_of`` has made is under a condition."""
    return f": {OF_SOME}(" in line


def columns_failed(match: re.Match[str]) -> tuple[str, ...]:
    """Return the columns (folded) that a constraint which failed is on, by the message."""
    return tuple(fold_name(part.strip().rpartition(".")[2]) for part in match["columns"].split(","))


def has_key(table: Table, columns: Iterable[str]) -> bool:
    """Return whether no two rows of ``table`` can agree in all of ``columns``."""
    names = set(map(fold_name, columns))
    return any(names.issuperset(map(fold_name, key)) for key in table.unique_keys)


def key_of(table: Table) -> str:
    """Return the one column that tells the rows of ``table`` apart, '' if there are several."""
    if len(table.primary_key) == 1:
        return bare_or_quoted(table.primary_key[0])
    return "" if table.without_rowid else "rowid"


def no_other_before(table: Table, key: str, equal: Sequence[str]) -> str:
    """Return that no row with a lower ``key`` meets the conditions ``equal``; for none, no row."""
    name = bare_or_quoted(table.name)
    if not equal:
        return f"{key} = (SELECT min({key}) FROM {name})"
    lower = f"{OTHER}.{key} < {name}.{key}"
    return f"NOT EXISTS (SELECT 1 FROM {name} AS {OTHER} WHERE {lower} AND {' AND '.join(equal)})"


def in_whole(value: Tokens, text: str) -> str:
    """Return the ``text`` of a value, in parentheses where = would take it apart."""
    return f"({text})" if text and LOOSER & set(fold_tokens(value)) else text


def qualified(expression: Tokens, table: Table, name: str) -> str:
    """Return an expression as text, the columns of ``table`` with ``name`` before them."""

    def spell(token: Token) -> str:
        is_column = is_column_of(table, token)
        return f"{name}.{bare_or_quoted(token.name)}" if is_column else token.text

    return source_text(expression, spell)


def is_column_of(table: Table, token: Token) -> bool:
    """Return whether ``token`` is called as a column of ``table`` is."""
    return token.kind in (Kind.WORD, Kind.QUOTED) and table.column(token.name) is not None
