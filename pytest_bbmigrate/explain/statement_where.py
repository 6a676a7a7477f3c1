"""The condition of the statement that changed or deleted rows, for the line that allows just that.

It is one on the rows as they were before, as a contract's ``where`` is: where an earlier statement
of the file may have changed what it looks at, there is none to give.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue import SqlPart
from pytest_bbmigrate.sql import Kind
from pytest_bbmigrate.sql.clauses import Delete, Insert, Update
from pytest_bbmigrate.sql.cursor import source_text
from pytest_bbmigrate.sql.names import fold_name, same_name
from pytest_bbmigrate.sql.reading import read_shape
from pytest_bbmigrate.sql.schema_clauses import (
    AddColumn,
    Creation,
    Drop,
    DropColumn,
    RenameColumn,
    RenameTable,
)

if TYPE_CHECKING:
    from pytest_bbmigrate.catalogue import Migration
    from pytest_bbmigrate.sql.reading import Command

LONGEST = 200  # characters of a condition that a line repeats


def condition_of_statements(migration: Migration, table: str, column: str = "") -> str:
    """Return under which condition the up part sets ``column``, or deletes rows of ``table``.

    '' where it does so without one, in another way, or by what it has changed before.
    """
    if not isinstance(migration.up, SqlPart):
        return ""
    conditions: list[str] = []
    touched: set[str] = set()
    for command in (read_shape(statement.text) for statement in migration.up.statements):
        if does(command, table, column):
            condition = plain_condition(command, touched)
            if not condition:
                return ""
            conditions.append(condition)
        elif may_do_so_unseen(command, table, column):
            return ""
        touched |= names_touched(command)
    distinct = list(dict.fromkeys(conditions))
    joined = distinct[0] if len(distinct) == 1 else " OR ".join(f"({one})" for one in distinct)
    return joined if len(joined) <= LONGEST else ""


def does(command: Command, table: str, column: str) -> bool:
    """Return whether a statement sets ``column`` of ``table``, or for '' deletes rows of it."""
    if column:
        return (
            isinstance(command, Update)
            and same_name(command.table.name, table)
            and command.sets(column)
        )
    return isinstance(command, Delete) and same_name(command.table.name, table)


def may_do_so_unseen(command: Command, table: str, column: str) -> bool:
    """Return whether a statement may do the same in another way: by a conflict, a rebuild."""
    if isinstance(command, Insert):
        return same_name(command.table.name, table) and (
            command.conflict == "replace" or bool(command.upserts)
        )
    if isinstance(command, Update):
        is_here = same_name(command.table.name, table)
        return is_here and not column and command.conflict == "replace"
    if isinstance(command, RenameTable):
        return same_name(command.table.name, table) or same_name(command.new, table)
    return isinstance(command, Creation | Drop) and same_name(command.name.name, table)


def plain_condition(command: Command, touched: set[str]) -> str:
    """Return the WHERE of a statement as one line, '' where rows before cannot be asked it."""
    if not isinstance(command, Update | Delete):
        return ""
    if isinstance(command, Update) and (command.sources or command.conflict == "replace"):
        return ""
    if command.alias or command.limit or command.with_tables:
        return ""
    if any(token.kind is Kind.PARAMETER or "\n" in token.text for token in command.where):
        return ""
    if touched.intersection(fold_name(token.name) for token in command.where):
        return ""
    return source_text(command.where)


def names_touched(command: Command) -> set[str]:
    """Return the (folded) tables and columns in which a statement may leave other values."""
    if isinstance(command, Update):
        return {command.table.folded, *map(fold_name, command.columns)}
    if isinstance(command, Insert | Delete):
        return {command.table.folded}
    if isinstance(command, RenameTable):
        return {command.table.folded, fold_name(command.new)}
    if isinstance(command, RenameColumn):
        return {fold_name(command.column), fold_name(command.new)}
    if isinstance(command, AddColumn | DropColumn):
        return {fold_name(command.column)}
    return {command.name.folded} if isinstance(command, Creation | Drop) else set()
