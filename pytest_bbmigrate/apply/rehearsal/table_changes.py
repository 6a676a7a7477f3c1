"""What a run changes, added up over its migrations, by the tables that are there at its end."""

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

    ``now`` is its name, None when it is gone; ``columns`` maps names now to those at the beginning,
    and ``same`` those of them that have kept every value.
    """

    def __init__(self, table: Table) -> None:
        self.name = table.name
        self.now: str | None = fold_name(table.name)
        self.columns = {fold_name(column.name): column.name for column in table.columns}
        self.stored = {name: self.columns[name] for name in table.stored_columns}
        self.same = dict(self.stored)
        self.values_changed = self.rows_lost = self.rows_came = 0

    def follow(self, diff: DatabaseDiff, after: Schema) -> None:
        """Take what became of the table on ``diff`` into account."""
        was = self.now
        if was is None:
            return
        table = after.table(diff.renames.tables.get(was, ""))
        self.now = fold_name(table.name) if table else None
        for there in diff.tables:
            if fold_name(there.table) == was:
                self.count(there)
                renamed = diff.renames.columns
                names = {now: renamed[was, now] for now in self.columns if (was, now) in renamed}
                self.columns = {
                    names[now]: former
                    for now, former in self.columns.items()
                    if table is not None and now in names and table.column(names[now]) is not None
                }

    def count(self, there: TableDiff) -> None:
        """Take into account what differs in the rows."""
        kinds = {ValueChanged: 0, RowLost: 0, RowAdded: 0}
        changed = set()
        for alike in there.differences.groups:
            kinds[alike.kind] += alike.count
            if alike.kind is ValueChanged:
                changed.add(fold_name(alike.column))
        self.values_changed += kinds[ValueChanged]
        self.rows_lost += kinds[RowLost]
        self.rows_came += kinds[RowAdded]
        self.same = {
            fold_name(there.columns[now]): former
            for now, former in self.same.items()
            if now in there.columns and now not in changed
        }

    def changed(self) -> tuple[str, ...]:
        """Return the columns that are still there and in which some value changed."""
        kept, same = set(self.columns.values()), set(self.same.values())
        return tuple(name for name in self.stored.values() if name in kept - same)


class ChangeLog:
    """The tables of the snapshot that a run begins with, followed through its migrations."""

    def __init__(self, before: Snapshot) -> None:
        self.before = before
        self.tracks = [TrackedTable(table) for table in before.schema.tables]

    def follow(self, diff: DatabaseDiff | None, after: Schema) -> None:
        """Take what a migration did into account."""
        if diff is not None:
            for track in self.tracks:
                track.follow(diff, after)

    def changes(self, after: Snapshot) -> tuple[TableChange, ...]:
        """Return what became of each changed table by the snapshot ``after``.

        First come the tables of that snapshot, in their order, then those that are gone.
        """
        by_name = {track.now: track for track in self.tracks if track.now is not None}
        found = [
            self.change(by_name.get(fold_name(table.name)), table.name, after)
            for table in after.schema.tables
        ]
        gone = [
            TableChange(track.name, self.rows_before(track), None, former=track.name)
            for track in self.tracks
            if track.now is None
        ]
        return tuple(change for change in (*found, *gone) if is_change(change))

    def change(self, track: TrackedTable | None, name: str, after: Snapshot) -> TableChange:
        """Return what became of ``track``, called ``name`` now; of a table that was made, None."""
        table = after.schema.table(name)
        columns = [column.name for column in table.columns] if table else []
        rows = after.row_counts[fold_name(name)]
        if track is None:
            return TableChange(name, None, rows)
        earlier = self.before.schema.table(track.name)
        kept = set(track.columns.values())
        return TableChange(
            name,
            self.rows_before(track),
            rows,
            tuple(column for column in columns if fold_name(column) not in track.columns),
            tuple(c.name for c in (earlier.columns if earlier else ()) if c.name not in kept),
            track.values_changed,
            track.name,
            tuple(
                (track.columns[fold_name(column)], column)
                for column in columns
                if fold_name(track.columns.get(fold_name(column), column)) != fold_name(column)
            ),
            track.changed(),
            track.rows_lost,
            track.rows_came,
        )

    def rows_before(self, track: TrackedTable) -> int:
        """Return how many rows a table held at the beginning."""
        return self.before.row_counts[fold_name(track.name)]


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
