"""What a run changes in each table, added up over its migrations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.apply.model import TableChange
from pytest_bbmigrate.rows import RowAdded, RowLost, ValueChanged
from pytest_bbmigrate.sql.names import fold_name

if TYPE_CHECKING:
    from pytest_bbmigrate.experiment import DatabaseDiff, Snapshot, TableDiff
    from pytest_bbmigrate.schema import Schema, Table


class TrackedTable:
    """A table that was there at the beginning, and what has become of it so far.

    ``name_now`` is None when it is gone; ``columns`` maps names now to those at the beginning, and
    ``unchanged`` those of them that have kept every value.
    """

    def __init__(self, table: Table) -> None:
        self.name = table.name
        self.name_now: str | None = fold_name(table.name)
        self.columns = {fold_name(column.name): column.name for column in table.columns}
        self.stored = {name: self.columns[name] for name in table.stored_columns}
        self.unchanged = dict(self.stored)
        self.values_changed = self.rows_lost = self.rows_came = 0

    def follow(self, diff: DatabaseDiff, after: Schema) -> None:
        """Add what ``diff`` says of the table, which has the schema ``after`` now."""
        name_before = self.name_now
        if name_before is None:
            return
        table = after.table(diff.renames.tables.get(name_before, ""))
        self.name_now = fold_name(table.name) if table else None
        for table_diff in diff.tables:
            if fold_name(table_diff.table) == name_before:
                self.count(table_diff)
                renamed = diff.renames.columns
                names = {
                    column: renamed[name_before, column]
                    for column in self.columns
                    if (name_before, column) in renamed
                }
                self.columns = {
                    names[column]: former
                    for column, former in self.columns.items()
                    if table is not None
                    and column in names
                    and table.column(names[column]) is not None
                }

    def count(self, table_diff: TableDiff) -> None:
        """Add the differences of its rows."""
        kinds = {ValueChanged: 0, RowLost: 0, RowAdded: 0}
        changed = set()
        for group in table_diff.differences.groups:
            kinds[group.kind] += group.count
            if group.kind is ValueChanged:
                changed.add(fold_name(group.column))
        self.values_changed += kinds[ValueChanged]
        self.rows_lost += kinds[RowLost]
        self.rows_came += kinds[RowAdded]
        self.unchanged = {
            fold_name(table_diff.columns[column]): former
            for column, former in self.unchanged.items()
            if column in table_diff.columns and column not in changed
        }

    def changed(self) -> tuple[str, ...]:
        """Return the columns that are still there and in which some value changed."""
        columns, unchanged = set(self.columns.values()), set(self.unchanged.values())
        return tuple(name for name in self.stored.values() if name in columns - unchanged)


class ChangeLog:
    """The tables of the snapshot that a run begins with, followed through its migrations."""

    def __init__(self, before: Snapshot) -> None:
        self.before = before
        self.tracked = [TrackedTable(table) for table in before.schema.tables]

    def follow(self, diff: DatabaseDiff | None, after: Schema) -> None:
        """Add what a migration did; None when that is not known."""
        if diff is not None:
            for tracked_table in self.tracked:
                tracked_table.follow(diff, after)

    def changes(self, after: Snapshot) -> tuple[TableChange, ...]:
        """Return what became of each changed table by the snapshot ``after``.

        First come the tables of that snapshot, in their order, then those that are gone.
        """
        by_name = {
            tracked_table.name_now: tracked_table
            for tracked_table in self.tracked
            if tracked_table.name_now is not None
        }
        changes = [
            self.change(by_name.get(fold_name(table.name)), table.name, after)
            for table in after.schema.tables
        ]
        dropped = [
            TableChange(
                tracked_table.name, self.rows_before(tracked_table), None, former=tracked_table.name
            )
            for tracked_table in self.tracked
            if tracked_table.name_now is None
        ]
        return tuple(change for change in (*changes, *dropped) if is_change(change))

    def change(self, tracked_table: TrackedTable | None, name: str, after: Snapshot) -> TableChange:
        """Return what became of ``tracked_table``, called ``name`` now; None for a new table."""
        table = after.schema.table(name)
        columns = [column.name for column in table.columns] if table else []
        rows = after.row_counts[fold_name(name)]
        if tracked_table is None:
            return TableChange(name, None, rows)
        earlier = self.before.schema.table(tracked_table.name)
        kept = set(tracked_table.columns.values())
        return TableChange(
            name,
            self.rows_before(tracked_table),
            rows,
            tuple(column for column in columns if fold_name(column) not in tracked_table.columns),
            tuple(c.name for c in (earlier.columns if earlier else ()) if c.name not in kept),
            tracked_table.values_changed,
            tracked_table.name,
            tuple(
                (tracked_table.columns[fold_name(column)], column)
                for column in columns
                if fold_name(tracked_table.columns.get(fold_name(column), column))
                != fold_name(column)
            ),
            tracked_table.changed(),
            tracked_table.rows_lost,
            tracked_table.rows_came,
        )

    def rows_before(self, tracked_table: TrackedTable) -> int:
        """Return how many rows a table held at the beginning."""
        return self.before.row_counts[fold_name(tracked_table.name)]


def is_change(change: TableChange) -> bool:
    """Return whether anything is not as it was."""
    return bool(
        change.rows_before != change.rows_after
        or change.columns_added
        or change.columns_lost
        or change.columns_renamed
        or change.values_changed
        or change.rows_lost
        or change.rows_came
        or change.table != change.former
    )
