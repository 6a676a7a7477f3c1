"""The ``requires`` lines for a key that a copy puts together from columns of the rows before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.contract.spelling import bare_or_quoted
from pytest_bbmigrate.explain.copies import copy_of, created_columns, expression_of, read_copy
from pytest_bbmigrate.explain.key_conditions import FAILED, columns_failed
from pytest_bbmigrate.explain.suggest_distinct import distinct_values
from pytest_bbmigrate.sql import Kind
from pytest_bbmigrate.sql.clauses import Insert
from pytest_bbmigrate.sql.cursor import fold_tokens
from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.sql.reading import read_command, read_shape
from pytest_bbmigrate.sql.schema_clauses import CreateIndex

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_bbmigrate.runner import Failure
    from pytest_bbmigrate.schema import Table
    from pytest_bbmigrate.sql.cursor import Tokens


def computed_key(failure: Failure, sql: str, created: str, table: Table) -> Iterator[str]:
    """Yield what rows of ``table`` may have to satisfy for a UNIQUE on what is computed of them.

    ``sql`` is the copy that fills the table which ``created`` makes. That the columns which are put
    together are not the same twice is needed, and enough for all but odd values; that what is
    computed is not, is both, where it can be asked of a row by itself.
    """
    match = FAILED.search(failure.message)
    expressions = expressions_of(sql, created, table)
    keys = [expressions.get(name, ()) for name in (columns_failed(match) if match else ())]
    named = [list(dict.fromkeys(columns_in(key, table))) for key in keys]
    if not all(keys) or not any(len(names) > 1 for names in named):
        return
    columns = dict.fromkeys(name for names in named for name in names)
    listed = ", ".join(map(bare_or_quoted, columns))
    yield f"unique {bare_or_quoted(table.name)}({listed})"
    words = {word for key in keys for word in fold_tokens(key)}
    if not words & {"select", "."} and (distinct := distinct_values(table, keys)):
        yield distinct


def expressions_of(sql: str, created: str, table: Table) -> dict[str, Tokens]:
    """Return what a copy gives each (folded) column, as it is written; nothing for its ``*``."""
    copy, command = read_copy(0, sql), read_command(sql)
    if copy is None or not isinstance(command, Insert) or command.query is None:
        return {}
    written = {expression_of(c): c.expression for c in command.query.selects[0].columns}
    items = copy.expressions(created_columns(created), table.stored_columns)
    return {column: written[item] for column, item in items.items() if item in written}


def columns_in(expression: Tokens, table: Table) -> Iterator[str]:
    """Yield the columns of ``table`` that are named in ``expression``, as they are declared."""
    for token in expression:
        column = table.column(token.name) if token.kind in (Kind.WORD, Kind.QUOTED) else None
        if column is not None:
            yield column.name


def copy_that_filled(statement: str, executed: Sequence[str]) -> str:
    """Return the copy that ``statement`` is, or that filled the table which it makes an index on.

    '' where there is none, or more than one.
    """
    command = read_command(statement)
    if not isinstance(command, CreateIndex):
        return statement
    if not command.is_unique or command.where:
        return ""
    into = [
        sql
        for sql in executed
        if (copy := copy_of(0, read_shape(sql))) is not None
        and copy.target == fold_name(command.table)
    ]
    return into[0] if len(into) == 1 else ""
