"""What one fixed experiment on one migration showed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_bbmigrate.experiment.own_rows import NOBODYS, RowOwner
from pytest_bbmigrate.experiment.pages import Pages, join_pages

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_bbmigrate.catalogue import Migration
    from pytest_bbmigrate.rows import Differences, Layout, RowDifference
    from pytest_bbmigrate.runner import Run
    from pytest_bbmigrate.schema import Renames, Schema, SchemaDifference
    from pytest_bbmigrate.seeding import Unfilled
    from pytest_bbmigrate.sql.values import Cell


@dataclass(frozen=True)
class SeededState:
    """The database after the first ``position`` migrations, filled with data, or a real one.

    Of a real one, which is a file, ``pages`` is () and nothing is generated.

    ``empty_pages`` is what the same migrations made of an empty database, None where they did
    not apply to one; ``unfilled`` is what generated rows are missing from, and why; ``own`` is
    where rows may be the user's own.
    """

    position: int
    pages: Pages
    empty_pages: Pages | None
    schema: Schema
    row_counts: Mapping[str, int]
    unfilled: tuple[Unfilled, ...]
    layout: Layout
    own: RowOwner = NOBODYS

    @property
    def image(self) -> bytes:
        """The database, as bytes."""
        return join_pages(self.pages)

    @property
    def empty(self) -> bytes | None:
        """The database without generated rows, as bytes."""
        return None if self.empty_pages is None else join_pages(self.empty_pages)


@dataclass(frozen=True)
class Dangling:
    """Rows of ``table`` whose ``columns`` refer to no row of ``parent``, with some ``values``."""

    table: str
    columns: tuple[str, ...]
    parent: str
    count: int
    values: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True)
class Mismatch:
    """A foreign key whose parent table or parent key is not there.

    ``missing`` is 'table', 'column' or 'unique key'.
    """

    table: str
    columns: tuple[str, ...]
    parent: str
    parent_columns: tuple[str, ...]
    missing: str


@dataclass(frozen=True)
class Renumbered:
    """The one ``column`` of a key in which rows differ from those before; some ``values`` of it.

    Each as (before, after).
    """

    column: str
    values: tuple[tuple[Cell, Cell], ...]


@dataclass(frozen=True)
class TableDiff:
    """What became of one table: its name after (None: gone) and what differs in its rows.

    ``key`` is what its rows are told apart by (() when by nothing); ``columns`` maps each column
    before that still exists to its name after; ``blank_columns`` are those (by name before) that
    hold only NULL or their default after; ``met`` of a difference are the texts of the contract's
    ``where`` that the row before met. ``renumbered`` is set where the very same rows stand under
    other keys, unless there are too many to look at again.
    """

    table: str
    after: str | None
    key: tuple[str, ...]
    columns: Mapping[str, str]
    lost_columns: tuple[str, ...]
    blank_columns: frozenset[str]
    rows_before: int
    rows_after: int
    values_compared: int
    differences: Differences
    renumbered: Renumbered | None = None


@dataclass(frozen=True)
class ShiftedView:
    """A view that is what it was and shows other values, because ``tables`` have another shape.

    ``columns`` (folded) are those that show others; () where the rows themselves are others.
    """

    view: str
    columns: tuple[str, ...]
    tables: tuple[str, ...]


@dataclass(frozen=True)
class DatabaseDiff:
    """What became of one database on its way to another.

    ``untouched`` are the tables (folded names) whose pages prove that they are what they were,
    with ``rows_untouched`` rows of ``values_untouched`` cells in all; ``tables`` are the others.
    ``sequences`` holds the tables whose AUTOINCREMENT sequence fell, as (table, before, after).
    ``views`` are looked at on the way up alone: what goes back puts columns in order.
    """

    tables: tuple[TableDiff, ...]
    renames: Renames
    schema: tuple[SchemaDifference, ...]
    dangling: tuple[Dangling, ...]
    mismatches: tuple[Mismatch, ...]
    sequences: tuple[tuple[str, int, int], ...]
    untouched: frozenset[str] = frozenset()
    rows_untouched: int = 0
    values_untouched: int = 0
    views: tuple[ShiftedView, ...] = ()

    @property
    def values_compared(self) -> int:
        """How many cells were compared, those of tables proven untouched included."""
        return self.values_untouched + sum(table.values_compared for table in self.tables)

    @property
    def rows_compared(self) -> int:
        """How many rows were compared, those of tables proven untouched included."""
        return self.rows_untouched + sum(table.rows_before for table in self.tables)


@dataclass(frozen=True)
class WrittenRows:
    """Rows written after up, before down: what of them was lost or changed by down."""

    counts: Mapping[str, int]
    differences: tuple[RowDifference, ...]
    unwritten: tuple[Unfilled, ...]


@dataclass(frozen=True)
class Invariant:
    """A query of the user's whose result may not change; None where it could not run."""

    name: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class Evidence:
    """The experiment: before, up, down, up again; and up, write rows, down.

    A field is None when that part was not run: there is no way back, or what leads to it failed.
    ``volatile`` is what a second, later run of up from the same state gave otherwise than the
    first; ``schema_after`` is None when up did not apply. ``integrity`` tells what is damaged after
    up, ``integrity_after_down`` which full-text indexes are damaged after down. ``on_real_rows`` is
    whether the rows are somebody's own: none is generated, and a statement may meet none of them.
    """

    migration: Migration
    state: SeededState
    up: Run
    up_on_empty: Run | None
    integrity: tuple[str, ...] = ()
    schema_after: Schema | None = None
    up_diff: DatabaseDiff | None = None
    invariants: tuple[Invariant, ...] = ()
    down: Run | None = None
    down_diff: DatabaseDiff | None = None
    integrity_after_down: tuple[str, ...] = ()
    second_up: Run | None = None
    second_up_diff: DatabaseDiff | None = None
    volatile: DatabaseDiff | None = None
    down_after_writing: Run | None = None
    written: WrittenRows | None = None
    on_real_rows: bool = False
