"""Rows for one table, generated or the user's own, and what is left to do when all have theirs."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_bbmigrate.errors import SeedingError
from pytest_bbmigrate.private import Known, is_showing_values, kind_of_value, safe_message
from pytest_bbmigrate.seeding.filling.connecting import connect_foreign_key, mend_dangling
from pytest_bbmigrate.seeding.filling.drawing import find_sources
from pytest_bbmigrate.seeding.filling.queries import new_keys, row_count, row_key
from pytest_bbmigrate.seeding.filling.references import dangling_rows, missing_parent
from pytest_bbmigrate.seeding.filling.writing import insertion, write_rows
from pytest_bbmigrate.seeding.model import Unfilled
from pytest_bbmigrate.seeding.own_rows import FileRows
from pytest_bbmigrate.seeding.values.accepted import REFUSALS
from pytest_bbmigrate.sql import quote_name
from pytest_bbmigrate.sql.names import fold_name, same_name
from pytest_bbmigrate.sqlite_files.in_time import LEAST_CALLS, given_up_after, is_given_up

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from pytest_bbmigrate.schema import ForeignKey, Table
    from pytest_bbmigrate.seeding.filling.context import Context
    from pytest_bbmigrate.seeding.filling.queries import Key
    from pytest_bbmigrate.sql.values import Cell

GAP = 3  # row numbers that AUTOINCREMENT has given out and no row has any more
FULL_TEXT = frozenset({"fts3", "fts4", "fts5"})


@dataclass
class TableWork:
    """One table that is being filled: the rows it had before, and what came of it so far.

    ``there`` are the keys of the rows it had, in order.
    ``pending`` are the foreign keys whose parents come later, each with the columns to set.
    ``refusal`` is why the last row was refused, ``dangling`` why one without a parent is left;
    ``taken_away`` says that none was, and that a trigger let some of them go.
    """

    table: Table
    there: Sequence[Key]
    rng: random.Random
    pending: list[tuple[ForeignKey, tuple[str, ...]]] = field(default_factory=list)
    unfilled: list[Unfilled] = field(default_factory=list)
    refusal: str = ""
    dangling: str = ""
    taken_away: bool = False

    @cached_property
    def kept(self) -> frozenset[Key]:
        """The keys of the rows that the table had before: these stay as they are."""
        return frozenset(self.there)


def start_work(context: Context, table: Table, purpose: str, there: Sequence[Key]) -> TableWork:
    """Return the work on ``table``: the same for the same seed, purpose and number of rows.

    ``there`` are the keys of the rows that it has.
    """
    seed = f"{context.recipe.seed}:{purpose}:{fold_name(table.name)}:{len(there)}"
    return TableWork(table, there, random.Random(seed))  # noqa: S311 -- must be reproducible


def add_generated_rows(
    db: sqlite3.Connection,
    context: Context,
    work: TableWork,
    pending: Collection[ForeignKey],
    count: int,
) -> None:
    """Add up to ``count`` rows to the table; the parents of ``pending`` keys come later."""
    if reason := _why_not_to_fill(work.table):
        work.unfilled.append(Unfilled(work.table.name, "", reason))
        return
    row_sources = find_sources(db, context, work.table, pending, count, work.rng)
    rows = row_sources.draw(count, work.rng)
    work.pending += row_sources.pending
    work.unfilled += row_sources.unfilled
    if rows:
        before = row_count(db, work.table)
        work.refusal = write_rows(db, row_sources, rows, work.rng)
        work.taken_away = not work.refusal and row_count(db, work.table) < before + len(rows)


def add_own_rows(db: sqlite3.Connection, context: Context, work: TableWork) -> None:
    """Add the user's own rows to the table, as they are.

    A row with a unique value that the table had before is passed over.

    Raises: SeedingError naming the file and the row that the schema refuses.
    """
    table = work.table
    rows = context.recipe.own_rows[fold_name(table.name)]
    for number, row in enumerate(rows, 1):
        values = {
            column.name: value
            for name, value in row.items()
            if (column := table.column(name)) and not column.generated
        }
        if not values:
            raise SeedingError(_path(rows, table), f"row {number}: no column of {table.name}")
        try:
            with given_up_after(db, LEAST_CALLS):
                db.execute(insertion(table, tuple(values)), tuple(values.values()))
        except REFUSALS as error:
            if work.kept and str(error).startswith("UNIQUE"):
                continue
            why = safe_message(error, public_words(table))
            message = f"row {number} does not fit table {table.name}: {why}"
            raise SeedingError(_path(rows, table), message) from error


def finish(db: sqlite3.Connection, context: Context, works: Sequence[TableWork]) -> list[Unfilled]:
    """Make every reference of the rows added hold; return what could not be filled.

    Raises: SeedingError when one of the user's own rows refers to a parent that is not there.
    """
    for work in works:
        for key, free in work.pending:
            added = frozenset(new_keys(db, work.table, work.there))
            connect_foreign_key(db, work.table, key, free, added, work.rng)
    for work in works:
        if fold_name(work.table.name) in context.recipe.own_rows:
            _check_own_rows(db, context, work)
    _mend_all(db, context, works)
    return [item for work in works for item in _unfilled(db, context, work)]


def _mend_all(db: sqlite3.Connection, context: Context, works: Sequence[TableWork]) -> None:
    """Mend references as long as there are any: a row that goes may be another one's parent."""
    referring = [work for work in works if work.table.foreign_keys]
    mended = 1
    while mended:
        mended = 0
        for work in referring:
            count, work.dangling = mend_dangling(db, context.schema, work.table, work.kept)
            mended += count


def leave_gap(db: sqlite3.Connection, table: Table) -> None:
    """Let AUTOINCREMENT be ahead of the rows, as where the last ones were deleted."""
    if table.autoincrement and table.rowid_alias:
        alias = quote_name(table.rowid_alias)
        db.execute(
            "UPDATE main.sqlite_sequence SET seq = seq + ? WHERE name = ? AND seq ="
            f" (SELECT max({alias}) FROM main.{quote_name(table.name)})",
            (GAP, table.name),
        )


def _why_not_to_fill(table: Table) -> str:
    """Return '' for a table, or a full-text index with rows of its own; else what it is."""
    if table.virtual is None:
        return ""
    module = table.virtual[0]
    if module not in FULL_TEXT:
        return f"it is a virtual table ({module})"
    return (
        "its full-text index takes its content from elsewhere" if "content" in table.virtual else ""
    )


def _unfilled(db: sqlite3.Connection, context: Context, work: TableWork) -> Iterable[Unfilled]:
    """Return why the table has no rows, or which of its columns have no values."""
    if work.dangling:
        reason = f"rows without a parent could not be removed: {work.dangling}"
        return [Unfilled(work.table.name, "", reason)]
    if row_count(db, work.table):
        return [item for item in work.unfilled if item.column]
    reasons = [item for item in work.unfilled if not item.column]
    if reasons:
        return reasons[:1]
    reason = "no row could be given the parents that it must refer to"
    if is_given_up(work.refusal):
        reason = f"no row could be added{_by_triggers(context, work.table)}: {work.refusal}"
    elif work.refusal:
        reason = f"every generated row was refused: {work.refusal}"
    return [Unfilled(work.table.name, "", reason)]


def _by_triggers(context: Context, table: Table) -> str:
    """Return which triggers run when a row is added to ``table``, '' for none."""
    names = [each.name for each in context.schema.triggers if same_name(each.table, table.name)]
    return f", with the trigger {', '.join(names)}" if names else ""


def _check_own_rows(db: sqlite3.Connection, context: Context, work: TableWork) -> None:
    """Raise SeedingError when one of the user's rows refers to a parent that is not there."""
    for key in work.table.foreign_keys:
        if missing_parent(context.schema, key):
            continue
        for row in dangling_rows(db, work.table, key):
            if row not in work.kept:
                named = zip(row_key(work.table), row, strict=True)
                told = ", ".join(f"{name} = {shown(value)!r}" for name, value in named)
                told = told.replace('"', "")
                raise SeedingError(
                    _path(context.recipe.own_rows[fold_name(work.table.name)], work.table),
                    f"the row with {told} refers by"
                    f" {', '.join(key.columns)} to no row of {key.parent};"
                    f" give rows of {key.parent} as well",
                )


def public_words(table: Table) -> Known:
    """Return the words about ``table`` that are no value of a row."""
    names = frozenset({fold_name(table.name), *table.column_names})
    return Known(names, tuple(check.text for check in table.checks))


def shown(value: Cell) -> Cell:
    """Return a value of the user's own, or its kind where it is not to be shown."""
    return value if is_showing_values() else kind_of_value(value)


def _path(rows: Sequence[Mapping[str, Cell]], table: Table) -> Path:
    return rows.path if isinstance(rows, FileRows) else Path(table.name)
