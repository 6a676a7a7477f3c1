"""The ``requires`` line for a column that may not be NULL, and gets what up computes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytest_bbmigrate.contract.spelling import bare_or_quoted
from pytest_bbmigrate.explain.key_conditions import columns_failed, required_of
from pytest_bbmigrate.explain.suggest_merged import (
    columns_of,
    name_before,
    plain_columns,
    source_in,
    value_text,
)
from pytest_bbmigrate.sql.clauses import Insert, Update
from pytest_bbmigrate.sql.cursor import keyword, source_text
from pytest_bbmigrate.sql.names import fold_name, same_name
from pytest_bbmigrate.sql.reading import read_command

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_bbmigrate.runner import Failure
    from pytest_bbmigrate.schema import Schema

NOT_NULL = re.compile(r"NOT NULL constraint failed: (?P<columns>[^;]+)")


def value_requirement(failure: Failure, executed: Sequence[str], before: Schema) -> str:
    """Return that what a column is given is not NULL, '' where it is not given by one statement.

    That a column of a table that was there is not NULL is for ``requirement_of`` to say.
    """
    match, command = NOT_NULL.search(failure.message), read_command(failure.statement)
    if match is None:
        return ""
    (column,) = columns_failed(match)
    if isinstance(command, Insert):
        return of_insert(command, column, executed, before)
    return of_update(command, column, executed, before) if isinstance(command, Update) else ""


def of_insert(command: Insert, column: str, executed: Sequence[str], before: Schema) -> str:
    """Return that the one SELECT of an INSERT gives ``column`` a value in each row."""
    selects = command.query.selects if command.query else ()
    if len(selects) != 1:
        return ""
    names = tuple(map(fold_name, command.columns))
    names = names or columns_of(command.table.folded, executed, before)
    source = source_in(selects[0], names, (column,), executed, before)
    if source is None:
        return ""
    name = bare_or_quoted(source.table.name)
    value = value_text(source.values[0], source.table, name)
    where = value_text(selects[0].where, source.table, name) if selects[0].where else ""
    if value is None or where is None or name not in value:
        return ""
    said = f"{''.join(plain_columns(source)) or value} IS NOT NULL"
    return required_of(name, where, said)


def of_update(command: Update, column: str, executed: Sequence[str], before: Schema) -> str:
    """Return that an UPDATE of all rows gives ``column`` a value in each.

    What it is computed from may be other tables' rows. It is as it stands there: the column itself
    and others that up adds are not known before.
    """
    table = before.table(name_before(command.table.folded, executed))
    given = [
        each.expression
        for each in command.assignments
        if len(each.columns) == 1 and same_name(each.columns[0], column)
    ]
    if table is None or len(given) != 1 or command.where or command.sources or command.alias:
        return ""
    (value,) = given
    if keyword(value[0]) != "case" and not any(keyword(token) == "select" for token in value):
        return ""
    return f"{bare_or_quoted(table.name)}: {source_text(value)} IS NOT NULL"
