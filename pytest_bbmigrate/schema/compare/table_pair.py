"""A table before and after, with the names that have changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_bbmigrate.schema.compare.correspondence import renamed_in_table
from pytest_bbmigrate.schema.compare.kinds import SchemaDifference
from pytest_bbmigrate.sql.names import fold_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from pytest_bbmigrate.schema.compare.correspondence import Correspondence
    from pytest_bbmigrate.schema.model import Schema, Table


@dataclass(frozen=True)
class TablePair:
    """A table before and after.

    ``columns`` maps the name before to the name after of each column that still exists, all
    case-folded. ``words`` maps a word in an expression before to what it may become.
    """

    before: Table
    after: Table
    columns: Mapping[str, str]
    words: Mapping[str, Collection[str]]
    names: Correspondence

    @property
    def lost(self) -> frozenset[str]:
        """The case-folded names of the lost columns."""
        return self.before.column_names - self.columns.keys()

    @property
    def added(self) -> frozenset[str]:
        """The case-folded names of the added columns."""
        return self.after.column_names - frozenset(self.columns.values())

    def difference(self, kind: str, column: str, before: str, after: str) -> SchemaDifference:
        """Return a difference of the table itself or a constraint, named after the table before."""
        return SchemaDifference(kind, self.before.name, self.before.name, column, before, after)

    def addition(self, kind: str, column: str, after: str) -> SchemaDifference:
        """Return a difference by something that was added, named after the table after."""
        return SchemaDifference(kind, self.after.name, self.after.name, column, "", after)


def only(columns: Sequence[str]) -> str:
    """Return the one column of ``columns``, '' if there are several or none."""
    return columns[0] if len(columns) == 1 else ""


def is_part_of(columns: Sequence[str], changed: Collection[str]) -> bool:
    """Return whether a constraint on ``columns`` was lost or added with its only column."""
    return len(columns) == 1 and fold_name(columns[0]) in changed


def pair_tables(before: Schema, after: Schema, names: Correspondence) -> Iterator[TablePair]:
    """Yield the tables that exist before and after.

    Equal tables are left out, unless a rename concerns them: then they should have changed.
    """
    by_name = {fold_name(table.name): table for table in after.tables}
    for table in before.tables:
        name = fold_name(table.name)
        if name in names.columns:
            new = by_name[names.tables[name]]
            words = renamed_in_table(table, new, names)
            yield TablePair(table, new, names.columns[name], words, names)
