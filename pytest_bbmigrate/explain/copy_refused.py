"""What to do about a copy that is refused for what its own columns show, or for what is not there.

The message alone would be answered otherwise: by rows that are as they should be.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.explain.advice_by_statement import ABSENT, NOT_NULL
from pytest_bbmigrate.explain.copies import read_copy
from pytest_bbmigrate.explain.suggest_merged import columns_of, name_before
from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.sql.reading import read_shape
from pytest_bbmigrate.sql.schema_clauses import CreateTable, Drop, RenameTable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_bbmigrate.runner import Failure
    from pytest_bbmigrate.schema import Schema, Table

MISMATCH = "datatype mismatch"
BY_POSITION = (
    "it fills the columns by their position, and those of the two tables stand in another order: "
    "name the columns on both sides, in the same order"
)
DROPPED = "an earlier statement of this part drops it: put this one before that, or leave it out"


def advice_on_copy(failure: Failure, executed: Sequence[str], before: Schema) -> str:
    """Return what to do about a ``failure`` after ``executed``, '' where other advice holds.

    ``before`` is the schema that the part began with.
    """
    if is_dropped_by_itself(failure, executed, before):
        return DROPPED
    copy = read_copy(len(executed), failure.statement)
    source = before.table(name_before(copy.source, executed)) if copy and copy.source else None
    if copy is None or source is None:
        return ""
    target = columns_of(copy.target, executed, before)
    given = copy.expressions(target, source.stored_columns)
    if failure.message.startswith(MISMATCH) and not copy.columns and is_moved(given):
        return BY_POSITION
    match = NOT_NULL.match(failure.message)
    return advice_on_call(given.get(fold_name(match["column"]), ()), source) if match else ""


def is_moved(given: Mapping[str, tuple[str, ...]]) -> bool:
    """Return whether a column gets what another one is called, as ``given`` has it."""
    return any(
        len(item) == 1 and item[0] != column and item[0] in given for column, item in given.items()
    )


def advice_on_call(item: Sequence[str], source: Table) -> str:
    """Return what to do where a function gives NULL for values of ``source`` that are none.

    '' where one that it reads may be NULL itself, or another expression than one call gives it.
    """
    columns = [column for word in item if (column := source.column(word)) is not None]
    is_call = item[1:2] == ("(",) and item[-1] == ")"
    if not is_call or not columns or not all(column.not_null for column in columns):
        return ""
    return (
        f"no row is without a value for {columns[0].name}: {item[0]}() gives NULL for what it "
        "cannot read; give those rows another value on the way (coalesce(..))"
    )


def is_dropped_by_itself(failure: Failure, executed: Sequence[str], before: Schema) -> bool:
    """Return whether the table that a statement does not find was there, and dropped by then."""
    message = failure.message
    if not ABSENT.match(message) or not message.startswith("no such table: "):
        return False
    name = fold_name(message.partition(": ")[2].removeprefix("main."))
    is_there, is_dropped = before.table(name) is not None, False
    for command in map(read_shape, executed):
        if isinstance(command, CreateTable) and command.name.folded == name:
            is_there, is_dropped = True, False
        elif isinstance(command, RenameTable) and name in {
            command.table.folded,
            fold_name(command.new),
        }:
            is_there, is_dropped = command.table.folded != name, False
        elif isinstance(command, Drop) and command.kind == "table" and command.name.folded == name:
            is_there, is_dropped = False, is_there
    return is_dropped
