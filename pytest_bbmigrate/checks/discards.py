"""What a rollback of a migration discards, and how much of it holds values."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_bbmigrate.checks.declared import undeclared_rows
from pytest_bbmigrate.contract import Change, Contract, Insert
from pytest_bbmigrate.rows import RowLost
from pytest_bbmigrate.sql import quote_name
from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.sqlite_files import open_content

if TYPE_CHECKING:
    from pytest_bbmigrate.experiment import DatabaseDiff, Snapshot, TableDiff
    from pytest_bbmigrate.rows import Differences
    from pytest_bbmigrate.schema import Renames, Schema


@dataclass(frozen=True)
class Discarded:
    """What goes with a migration: ``values`` in a column; rows of a table, where ``column`` is ''.

    In a column, NULL and its default are no values: nobody has put them there.
    """

    table: str
    column: str
    values: int

    def __str__(self) -> str:
        many = "" if self.values == 1 else "s"
        if self.column:
            return f"{self.values:,} value{many} in {self.table}.{self.column}"
        return f"{self.values:,} row{many} of {self.table}"


@dataclass(frozen=True)
class Versions:
    """The schema with a migration and without it, as the migrations make it of no rows at all."""

    applied: Schema
    target: Schema

    def adds_table(self, table: str) -> bool:
        """Return whether ``table`` is there with the migration, and not without it."""
        return self.applied.table(table) is not None and self.target.table(table) is None

    def adds_column(self, table: str, column: str, after: str) -> bool:
        """Return whether a column of ``table``, ``after`` down so called, is such a one."""
        there, target = self.applied.table(table), self.target.table(after)
        is_there = there is not None and there.column(column) is not None
        return is_there and (target is None or target.column(column) is None)


def find_discarded(
    contract: Contract, diff: DatabaseDiff, before: Snapshot, versions: Versions
) -> tuple[Discarded, ...]:
    """Return what goes on ``diff``, that of down, and holds values.

    That is what the migration has added, and rows of tables that it declares ``inserts`` in: who
    wrote them cannot be told.
    """
    found: list[Discarded] = []
    for table in diff.tables:
        if table.after is None:
            if versions.adds_table(table.table):
                found.append(Discarded(table.table, "", table.rows_before))
            continue
        found += [
            Discarded(table.table, column, count_values(before, table.table, column))
            for column in table.lost_columns
            if versions.adds_column(table.table, column, table.after)
        ]
        _, lost = split_inserted(contract, table, diff.renames)
        found.append(Discarded(table.table, "", lost))
    return tuple(discarded for discarded in found if discarded.values)


def split_inserted(
    contract: Contract, table: TableDiff, renames: Renames
) -> tuple[Differences, int]:
    """Return what of a table's differences nothing allows, and how many rows are discarded."""
    rows = undeclared_rows(table, allowed(contract, renames))
    former = renames.tables.get(fold_name(table.table), "")
    names = {fold_name(table.table), former}
    if not any(fold_name(insert.table) in names for insert in contract.inserts):
        return rows, 0
    others = rows.filter_groups(lambda difference: not isinstance(difference, RowLost))
    return others, len(rows) - len(others)


def count_values(before: Snapshot, table: str, column: str) -> int:
    """Return how many rows hold something else in a column than NULL or its default."""
    described = before.schema.table(table)
    described_column = described.column(column) if described else None
    default = (described_column.default if described_column else None) or "NULL"
    name = quote_name(column)
    empty = f"{name} IS NULL"
    if not default.strip("() ").upper().startswith("CURRENT_"):
        empty += f" OR {name} IS ({default}) COLLATE BINARY"
    with closing(open_content(before.image)) as db:
        query = f"SELECT count(*) FROM {quote_name(table)} WHERE NOT ({empty})"
        return int(db.execute(query).fetchone()[0])


def allowed(contract: Contract, renames: Renames) -> Contract:
    """Return what down may do by ``contract``, in the names that are there before it.

    A contract speaks in the names from before up, which are those after down.
    """
    origin = {
        (renames.tables.get(table, table), new): (table, old)
        for (table, old), new in renames.columns.items()
    }
    changes = []
    for change in contract.changes:
        named = fold_name(change.table), fold_name(change.column)
        for table, column in {named, origin.get(named, named)}:
            changes.append(Change(table, column, None, change.line))
    changes += [Change(d.table, d.column, None, d.line) for d in contract.derives]
    tables = {new: old for old, new in renames.tables.items()}
    inserts = tuple(
        Insert(tables.get(fold_name(delete.table), delete.table), delete.line)
        for delete in contract.deletes
    )
    return Contract(changes=tuple(changes), inserts=inserts)
