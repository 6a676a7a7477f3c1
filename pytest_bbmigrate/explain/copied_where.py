"""Which rows a rebuild's copy leaves out, or gives another value, for the line that allows them.

It is a condition on the rows as they were before, as a contract's ``where`` is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue import SqlPart
from pytest_bbmigrate.contract.spelling import bare_or_quoted
from pytest_bbmigrate.explain.copies import copy_of, created_columns
from pytest_bbmigrate.explain.statement_where import LONGEST
from pytest_bbmigrate.sql import Kind
from pytest_bbmigrate.sql.clauses import Delete, Insert, Update
from pytest_bbmigrate.sql.cursor import keyword, source_text
from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.sql.reading import read_shape
from pytest_bbmigrate.sql.schema_clauses import (
    AddColumn,
    CreateTable,
    DropColumn,
    RenameColumn,
    RenameTable,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_bbmigrate.catalogue import Migration
    from pytest_bbmigrate.explain.copies import Copy
    from pytest_bbmigrate.sql.cursor import Tokens
    from pytest_bbmigrate.sql.reading import Command

WITH_DEFAULT = frozenset({"coalesce", "ifnull"})


def rows_left_out(migration: Migration, table: str, key: Sequence[str] = ()) -> str:
    """Return the condition of the rows that the copy of ``table`` leaves out by its WHERE.

    '' where it has none, cannot be asked of the rows before, or is not all that is done to them:
    where it computes their ``key``, more rows stand under another one.
    """
    found = only_copy(migration, table)
    given = dict(zip(found[1].columns, found[1].items, strict=False)) if found else {}
    if any(len(given.get(fold_name(name), ())) > 1 for name in key):
        return ""
    command = read_shape(found[0]) if found else None
    query = command.query if isinstance(command, Insert | CreateTable) else None
    where: Tokens = query.selects[0].where if query and len(query.selects) == 1 else ()
    is_plain = not any(
        token.text == "." or token.kind is Kind.PARAMETER or "\n" in token.text for token in where
    )
    if not where or not is_plain or "select" in map(keyword, where):
        return ""
    condition = f"NOT coalesce({source_text(where)}, 0)"
    return condition if len(condition) <= LONGEST else ""


def rows_given_default(
    migration: Migration, table: str, column: str, columns: Sequence[str]
) -> str:
    """Return that ``column`` is NULL where the copy of ``table`` gives it a value for that alone.

    ``columns`` are those of the table before, in their order. '' where it does something else.
    """
    found = only_copy(migration, table)
    if found is None or not isinstance(migration.up, SqlPart):
        return ""
    _, copy = found
    made = (
        created_columns(statement.text)
        for statement in migration.up.statements
        if isinstance(command := read_shape(statement.text), CreateTable)
        and command.name.folded == copy.target
    )
    given = copy.expressions(next(made, ()), tuple(map(fold_name, columns)))
    words = given.get(fold_name(column), ())
    is_default = words[:1] and words[0] in WITH_DEFAULT and words[2:4] == (fold_name(column), ",")
    return f"{bare_or_quoted(column)} IS NULL" if is_default else ""


def only_copy(migration: Migration, table: str) -> tuple[str, Copy] | None:
    """Return the one copy that all rows of ``table`` go through, and the statement that makes it.

    Then the table has its name again.

    None where something else is done to them, or the copy does more than to choose by a WHERE.
    """
    if not isinstance(migration.up, SqlPart):
        return None
    holder, found, text = fold_name(table), None, ""
    for statement in migration.up.statements:
        command = read_shape(statement.text)
        copy = copy_of(0, command)
        if isinstance(command, RenameTable) and command.table.folded == holder:
            holder = fold_name(command.new)
        elif copy is not None and copy.source == holder:
            if found is not None or copy.features - {"where"}:
                return None
            found, holder = copy, copy.target
            text = statement.text
        elif writes_to(command, holder):
            return None
    return (text, found) if found and holder == fold_name(table) else None


def writes_to(command: Command, table: str) -> bool:
    """Return whether a statement writes to a ``table`` (folded), or to its columns."""
    writers = Insert | Update | Delete | AddColumn | DropColumn | RenameColumn
    return isinstance(command, writers) and command.table.folded == table
