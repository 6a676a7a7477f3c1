"""One table as it was and as it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_bbmigrate.schema.compare.correspondence import column_names, renamed_in_table
from pytest_bbmigrate.schema.compare.kinds import SchemaDifference
from pytest_bbmigrate.sql.names import fold_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from pytest_bbmigrate.schema.compare.correspondence import Correspondence
    from pytest_bbmigrate.schema.model import Schema, Table


@dataclass(frozen=True)
class TablePair:
    """A table as it was and as it is.

    ``columns`` gives the case-folded name after of each column that is still there; ``words`` what
    a word in an expression before may be after.
    """

    before: Table
    after: Table
    columns: Mapping[str, str]
    words: Mapping[str, Collection[str]]
    names: Correspondence

    @property
    def lost(self) -> frozenset[str]:
        """The case-folded names of the columns that are gone."""
        return frozenset(column_names(self.before)) - self.columns.keys()

    @property
    def added(self) -> frozenset[str]:
        """The case-folded names of the columns that are new."""
        return frozenset(column_names(self.after)) - frozenset(self.columns.values())

    def difference(self, kind: str, column: str, before: str, after: str) -> SchemaDifference:
        """Return a difference in this table; its name is the table's."""
        return SchemaDifference(kind, self.before.name, self.before.name, column, before, after)

    def addition(self, kind: str, column: str, after: str) -> SchemaDifference:
        """Return what this table gained."""
        return SchemaDifference(kind, self.after.name, self.after.name, column, "", after)


def only(columns: Sequence[str]) -> str:
    """Return the column a difference is about, '' when it is about several or none."""
    return columns[0] if len(columns) == 1 else ""


def is_part_of(columns: Sequence[str], changed: Collection[str]) -> bool:
    """Return whether a constraint on ``columns`` came or went with its only column."""
    return len(columns) == 1 and fold_name(columns[0]) in changed


def pair_tables(before: Schema, after: Schema, names: Correspondence) -> Iterator[TablePair]:
    """Yield the tables that are still there, as they were and as they are.

    Those that are equal are left out, unless names changed and theirs should have followed.
    """
    by_name = {fold_name(table.name): table for table in after.tables}
    for table in before.tables:
        name = fold_name(table.name)
        if name in names.columns:
            now = by_name[names.tables[name]]
            words = renamed_in_table(table, now, names)
            yield TablePair(table, now, names.columns[name], words, names)
