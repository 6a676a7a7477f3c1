"""What to do where rows get no value in a column that may not be NULL.

A value for all of them, a default say, is of no use where the column is unique as well.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue import SqlPart
from pytest_bbmigrate.explain.advice_by_statement import NOT_NULL, is_copy
from pytest_bbmigrate.explain.causes.statements import holds
from pytest_bbmigrate.explain.syntax import plain_text
from pytest_bbmigrate.sql.clauses import Insert
from pytest_bbmigrate.sql.cursor import fold_tokens
from pytest_bbmigrate.sql.names import fold_name, same_name
from pytest_bbmigrate.sql.reading import read_command, read_shape
from pytest_bbmigrate.sql.schema_clauses import AddColumn, CreateIndex, CreateTable, RenameTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_bbmigrate.catalogue import Migration
    from pytest_bbmigrate.runner import Run

NO_DEFAULT = re.compile(r"^Cannot add a NOT NULL column with default value NULL")
A_VALUE_EACH = "give each row a value of its own, made of its key, say"
IF_EMPTY = "; if there are never rows to copy, the requires line says so"
FOR_ONE_ROW = "as it must be unique, a default would do for one row"


def advice_on_missing_value(up: Run, migration: Migration, line: str) -> str:
    """Return what to do where ``up`` failed for want of a value, '' where other advice holds.

    ``line`` is the contract line that would allow it, '' for none.
    """
    failure = up.failure
    if failure is None:
        return ""
    part = migration.up
    texts = [s.text for s in part.statements] if isinstance(part, SqlPart) else [*up.executed]
    command = read_command(failure.statement)
    match = NOT_NULL.match(failure.message)
    if isinstance(command, AddColumn) and NO_DEFAULT.search(failure.message):
        if not is_unique(command.table.name, command.column, texts):
            return ""
        return f"{FOR_ONE_ROW}: add it without NOT NULL, {A_VALUE_EACH}, and rebuild with NOT NULL"
    if match is None or not isinstance(command, Insert):
        return ""
    column = match["column"]
    must_differ = is_unique(match["table"], column, texts)
    if line.endswith(": 0"):
        left_out = f"the INSERT leaves {column} out, which may not be NULL and has no default"
        mended = (
            f"; {FOR_ONE_ROW}: {A_VALUE_EACH}" if must_differ else ": give it a value, or a DEFAULT"
        )
        return f"{left_out}{mended}{IF_EMPTY}"
    if not must_differ or not is_copy(plain_text(failure.statement)):
        return ""
    rest = "; if real rows all have one, a requires line says so" if line else ""
    return (
        f"there are rows without a value for {column}, which must be unique: give each of them"
        f" another one on the way, made of its key, say{rest}"
    )


def is_unique(table: str, column: str, texts: Sequence[str]) -> bool:
    """Return whether a ``column`` of a ``table`` is unique by itself, as ``texts`` make it.

    An index may be made later in the file, when the table has another name.
    """
    names, folded = {fold_name(table)}, fold_name(column)
    for command in map(read_shape, texts):
        if isinstance(command, RenameTable) and command.table.folded in names:
            names.add(fold_name(command.new))
        elif isinstance(command, CreateTable) and command.name.folded in names:
            own = [c.definition for c in command.columns if same_name(c.name, column)]
            keys = [fold_tokens(tokens) for tokens in command.constraints]
            if any({"unique", "primary"} & set(fold_tokens(tokens)) for tokens in own) or any(
                holds(words, "unique", "(", folded, ")") or holds(words, "key", "(", folded, ")")
                for words in keys
                if "foreign" not in words
            ):
                return True
        elif isinstance(command, CreateIndex) and fold_name(command.table) in names:
            terms = [fold_tokens(term)[:1] for term in command.terms]
            if command.is_unique and not command.where and terms == [(folded,)]:
                return True
    return False
